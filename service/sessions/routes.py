"""Refresh, log out, list and end sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.errors import BadRequest, CrossSite, InvalidGrant, NotFound
from service.kernel.ids import parse_session_id
from service.sessions.flows import EndSession, ListSessions, Logout, LogoutAll
from service.sessions.refresh import Refresh
from service.sessions.schemas import RefreshBody, SessionOut, SessionsOut, TokensOut
from service.sessions.transport import Transport
from service.store.cursor import MAX_CURSOR_CHARACTERS, Cursors, foreign_cursor
from service.tokens.guards import Alive, Owner, SessionIdPath, SignedIn
from service.web.cookies import delete_refresh_cookie
from service.web.links_docs import LOG_OUT, REFRESH, link, linked
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["sessions"])

_TWO_COOKIES = BadRequest(code="invalid_cookie")


@router.post(
    "/refresh",
    response_model_exclude_none=True,
    responses={
        **linked(RefreshAgain=REFRESH, LogOut=LOG_OUT),
        **problem_responses(*BODY, _TWO_COOKIES, InvalidGrant, CrossSite, 503),
    },
    summary="Exchange a refresh token for the next one and an access token",
)
async def refresh(
    request: Request,
    response: Response,
    flow: Annotated[Refresh, provided(Refresh)],
    transport: Annotated[Transport, provided(Transport)],
    body: RefreshBody | None = None,
) -> TokensOut:
    """A lost answer may be asked for again with the same token: it gets the same successor."""
    carried = transport.read(request, body)
    if carried.token is None:
        raise InvalidGrant("no cookie")
    # A refusal leaves the cookie alone: another tab may have won, and its new cookie must not be cleared.
    return transport.answer(response, await flow(carried.token), by_cookie=carried.by_cookie)


@router.post(
    "/logout",
    status_code=204,
    responses=problem_responses(*BODY, _TWO_COOKIES, CrossSite, 503),
    summary="End the session of a refresh token",
)
async def logout(
    request: Request,
    response: Response,
    flow: Annotated[Logout, provided(Logout)],
    transport: Annotated[Transport, provided(Transport)],
    body: RefreshBody | None = None,
) -> None:
    """Idempotent, as RFC 7009 has it: a token that does not work any more is logged out."""
    carried = transport.read(request, body)
    if carried.token is not None:
        await flow(carried.token)
    if carried.by_cookie:
        response.headers.append("Set-Cookie", delete_refresh_cookie())


@router.post(
    "/logout-all",
    status_code=204,
    responses=problem_responses(401, 503),
    summary="End every session of the caller",
)
async def logout_all(caller: Alive, flow: Annotated[LogoutAll, provided(LogoutAll)]) -> None:
    """Refresh tokens are dead at once; access tokens live out their minutes.

    401 for an access token whose own session has ended. Where this door ended it, 204 again and nothing is done.
    """
    await flow(caller.user_id, session_epoch=caller.epoch)


@router.get(
    "/users/{user_id}/sessions",
    responses={
        **linked(
            EndSession=link(
                "end_session_v1_users__user_id__sessions__session_id__delete",
                user_id="$request.path.user_id",
                session_id="$response.body#/sessions/0/session_id",
            )
        ),
        **problem_responses(foreign_cursor("list"), 401, 404, 503),
    },
    summary="List the live sessions of a user",
)
async def list_sessions(
    owner: Owner,
    caller: SignedIn,
    flow: Annotated[ListSessions, provided(ListSessions)],
    cursors: Annotated[Cursors, provided(Cursors)],
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None,
) -> SessionsOut:
    """A page may be short or empty and still have a next one: ended sessions are left out."""
    query = f"sessions#{owner.hex()}"
    start = cursors.resume(cursor, query=query)
    found = await flow(owner, start=start)
    return SessionsOut(
        sessions=[SessionOut.of(session, current=caller.session_id) for session in found.sessions],
        next_cursor=cursors.following(found.next_start, query=query),
    )


@router.delete(
    "/users/{user_id}/sessions/{session_id}",
    status_code=204,
    responses=problem_responses(401, 404, 503),
    summary="End one session of a user",
)
async def end_session(
    owner: Owner, caller: Alive, session_id: SessionIdPath, flow: Annotated[EndSession, provided(EndSession)]
) -> None:
    """404 for a session that is not there, has ended, or is somebody else's."""
    parsed = parse_session_id(session_id)
    if parsed is None:
        raise NotFound
    await flow(owner, parsed, session_epoch=caller.epoch)
