"""A ceiling for the head of a request, one reading of where its body ends, and one Host.

uvicorn's two parsers differ: h11 bounds the head but takes Content-Length beside Transfer-Encoding, on which two
servers in a row may disagree (RFC 9112 section 6.1, request smuggling); httptools refuses that and bounds nothing.
This check makes the answers equal. It comes after the head was read, so memory is bounded by h11 alone: start uvicorn
with ``http="h11"`` and ``h11_max_incomplete_event_size``, or behind a proxy that bounds heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import BadRequest
from service.web.problems import problem_response, response_for

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

DEFAULT_HEAD_BYTES = 16 * 1024
_WATCHED = frozenset({b"host", b"content-length", b"transfer-encoding"})


class RequestHead:
    """Pure ASGI. Answers 431 for a head over ``limit_bytes`` (RFC 6585 section 5) and 400 for an ambiguous one.

    Of two Host fields a proxy may have believed either (RFC 9112 section 3.2); we believe none, and refuse both.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int = DEFAULT_HEAD_BYTES) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass one request."""
        refused = self.refusal(scope) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a head that is too large or ambiguous."""
        target_bytes = len(scope["path"].encode("utf-8", "surrogatepass")) + len(scope["query_string"])
        head_bytes, seen = target_bytes, []
        for name, value in scope["headers"]:
            head_bytes += len(name) + len(value)
            if name in _WATCHED:
                seen.append(name)
        if head_bytes > self.limit_bytes:
            return problem_response(status=431, code="head_too_large", title="The request's headers are too large.")
        if seen.count(b"host") > 1 or (b"content-length" in seen and b"transfer-encoding" in seen):
            return response_for(BadRequest("two hosts, or two ways to end the body"))
        return None
