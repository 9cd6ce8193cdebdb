"""A user's security events over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from service.kernel.ids import UserId
from service.store.cursor import MAX_CURSOR_CHARACTERS, Cursors, foreign_cursor
from service.tokens.guards import SignedIn, owner_or
from service.users.events.flows import ListEvents
from service.users.events.schemas import EventOut, EventsOut
from service.web.problem_docs import problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["users"])


@router.get(
    "/users/{user_id}/events",
    responses=problem_responses(foreign_cursor("list"), 401, 404, 503),
    summary="List the security events of a user",
)
async def list_events(
    user_id: Annotated[UserId, owner_or("audit:read")],
    caller: SignedIn,
    flow: Annotated[ListEvents, provided(ListEvents)],
    cursors: Annotated[Cursors, provided(Cursors)],
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None,
) -> EventsOut:
    """The newest first, for the user itself, or with the scope ``audit:read``. A page may be short, and not the last.

    An event is listed some moments after it happened.
    """
    query = f"events#{user_id.hex()}"
    start = cursors.resume(cursor, query=query)
    found = await flow(user_id, reader=caller.user_id, start=start)
    return EventsOut(
        events=[EventOut.of(event) for event in found.events],
        next_cursor=cursors.following(found.next_start, query=query),
    )
