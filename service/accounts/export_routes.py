"""The export of an account over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.accounts.export import ExportAccount
from service.accounts.export_schemas import ExportOut
from service.errors import TooManyRequests
from service.store.cursor import MAX_CURSOR_CHARACTERS, Cursors, foreign_cursor
from service.tokens.guards import Alive
from service.web.problem_docs import problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["accounts"])


@router.get(
    "/me/export",
    responses=problem_responses(foreign_cursor("export"), 401, TooManyRequests, 503),
    summary="Everything that is held about me",
)
async def export_me(
    response: Response,
    caller: Alive,
    flow: Annotated[ExportAccount, provided(ExportAccount)],
    cursors: Annotated[Cursors, provided(Cursors)],
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None,
) -> ExportOut:
    """Page by page until `next_cursor` is null: the account on each, then all sessions, then all security events.

    Nothing that a credential is checked by is in it, and nothing of anybody else.
    """
    response.headers["Cache-Control"] = "no-store"
    query = f"export#{caller.user_id.hex()}"
    start = cursors.resume(cursor, query=query, things="export")
    page = await flow(caller, start=start)
    following = cursors.following(page.next_start, query=query)
    return ExportOut.of(page, next_cursor=following)
