"""A span for each request: its method, its route's template, its status; never what the client sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from service.telemetry.tracing import Tracing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD = "_OTHER"
_CARRIERS = frozenset({b"traceparent", b"tracestate"})
_SERVER_ERROR = 500


class RequestSpans:
    """Pure ASGI, inside ``RequestIds``.

    ``trust_client`` continues the trace of a caller of ours. From strangers it would be their choice what is sampled.
    """

    def __init__(self, app: ASGIApp, *, tracing: Tracing, trust_client: bool = False) -> None:
        self.app = app
        self.tracing = tracing
        self.trust_client = trust_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Trace one request."""
        if scope["type"] != "http" or not self.tracing.is_on:
            await self.app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else _OTHER_METHOD
        parent = _parent(scope) if self.trust_client else None
        with self.tracing.span(method, {"http.request.method": method}, kind=SpanKind.SERVER, parent=parent) as span:

            async def watched_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note_status(span, message["status"])
                await send(message)

            try:
                await self.app(scope, receive, watched_send)
            finally:
                _name(span, method, scope)


def _name(span: Span, method: str, scope: Scope) -> None:
    """The router leaves the route in the scope; until it has run, nobody knows the template."""
    template = getattr(scope.get("route"), "path", None)
    if template is not None:
        span.update_name(f"{method} {template}")
        span.set_attribute("http.route", template)
    request_id = scope.get("state", {}).get("request_id")
    if request_id is not None:
        span.set_attribute("keyturn.request_id", request_id)


def _note_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))


def _parent(scope: Scope) -> Context:
    return extract({name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIERS})
