"""Headers that make a browser treat an answer as what it is: data of one origin, not to be kept, framed or guessed at.

The ``Server`` header is taken from the application's answers; uvicorn adds its own after us unless it is started with
``server_header=False``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HSTS = "max-age=63072000; includeSubDomains"
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
UNLESS_SET = {"Content-Security-Policy": DATA_POLICY, "Cache-Control": "no-store"}


class SecurityHeaders:
    """Pure ASGI. ``https``: the base URL is https. ``public_paths``: any origin may read them (JWKS, metadata).

    A route may set its own Content-Security-Policy, Cache-Control and Cross-Origin-Resource-Policy.
    """

    def __init__(self, app: ASGIApp, *, https: bool, public_paths: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.public_paths = public_paths
        self.always = {**ALWAYS, "Strict-Transport-Security": HSTS} if https else dict(ALWAYS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Complete the headers of one answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        readers = "cross-origin" if scope["path"] in self.public_paths else "same-origin"

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), readers)
            await send(message)

        await self.app(scope, receive, guarded_send)

    def _complete(self, headers: MutableHeaders, readers: str) -> None:
        del headers["Server"]
        for name, value in self.always.items():
            headers[name] = value
        for name, value in UNLESS_SET.items():
            headers.setdefault(name, value)
        headers.setdefault("Cross-Origin-Resource-Policy", readers)
