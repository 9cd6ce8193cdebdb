"""The revocation feed, for guards that may not wait until an access token has expired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.errors import BadRequest
from service.revocations.flows import Feed
from service.revocations.guards import FeedReader
from service.revocations.statement import TYPE
from service.store.cursor import MAX_CURSOR_CHARACTERS
from service.web.problem_docs import problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

FEED_PATH = "/v1/revocations"
MEDIA_TYPE = f"application/{TYPE}"

router = APIRouter(route_class=StrictRoute, tags=["revocations"])


@dataclass(frozen=True, kw_only=True)
class FeedCaching:
    """How long an answer may be kept, seconds: as long as the service keeps its own reading."""

    max_age_seconds: int


_STATEMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A statement: a JWS in compact form, signed like access tokens, of type `revocations+jwt`.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": "eyJhbGciOiJFUzI1NiIsInR5cCI6InJldm9…"}},
    },
    304: {"description": "Nothing was ended since, and the cursor is still good."},
}


@router.get(
    FEED_PATH,
    dependencies=[FeedReader],
    responses={**_STATEMENT, **problem_responses(BadRequest(code="invalid_cursor"), 401, 404, 503)},
    summary="What was ended since a cursor: sessions, and users' sessions below an epoch",
)
async def revocations(
    request: Request,
    feed: Annotated[Feed, provided(Feed)],
    caching: Annotated[FeedCaching, provided(FeedCaching)],
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS)] = None,
) -> Response:
    """Without a cursor: everything that a living access token may be of. Go on with `next`, at once while `more`."""
    answer = await feed.after(cursor)
    headers = {
        "Cache-Control": f"private, max-age={caching.max_age_seconds}",
        "ETag": answer.etag,
        "Vary": "Authorization",
    }
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(answer.text, headers=headers, media_type=MEDIA_TYPE)
