"""A ceiling for the head of a request, one reading of where its body ends, and one Host.

uvicorn's two parsers differ: h11 bounds the head but takes Content-Length beside Transfer-Encoding, on which two
servers in a row may disagree (RFC 9112 section 6.1, request smuggling); httptools refuses that and bounds nothing.
This check makes the answers equal. It comes after the head was read, so memory is bounded by h11 alone: start uvicorn
with ``http="h11"`` and ``h11_max_incomplete_event_size``, or behind a proxy that bounds heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from service.errors import BadRequest
from service.web.problems import problem_response, response_for

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

DEFAULT_HEAD_BYTES = 16 * 1024


class RequestHead:
    """Pure ASGI. Answers 431 for a head over ``limit_bytes`` (RFC 6585 section 5) and 400 for an ambiguous one.

    Of two Host fields a proxy may have believed either (RFC 9112 section 3.2); we believe none, and refuse both.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int = DEFAULT_HEAD_BYTES) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _head_bytes(scope) > self.limit_bytes:
            response = problem_response(status=431, code="head_too_large", title="The request's headers are too large.")
            await response(scope, receive, send)
        elif _is_ambiguous(Headers(scope=scope)):
            await response_for(BadRequest("two hosts, or two ways to end the body"))(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _head_bytes(scope: Scope) -> int:
    target = len(scope["path"].encode("utf-8", "surrogatepass")) + len(scope["query_string"])
    return target + sum(len(name) + len(value) for name, value in scope["headers"])


def _is_ambiguous(headers: Headers) -> bool:
    return ("content-length" in headers and "transfer-encoding" in headers) or len(headers.getlist("host")) > 1
