"""The net under the application: an exception nobody foresaw becomes a problem, also when ``debug`` is on.

It stands inside the other middlewares, so that the answer carries their headers (CORS, security, request id).
Starlette's own net, ``ServerErrorMiddleware``, is outside of them all and shows tracebacks in debug mode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from service.web.problems import on_unhandled

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class UnhandledErrors:
    """Pure ASGI. An answer that has begun cannot be replaced: then the exception goes on, and the server hangs up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer for what it did not catch."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except Exception as error:
            if started:
                raise
            response = await on_unhandled(Request(scope), error)
            await response(scope, receive, send)
