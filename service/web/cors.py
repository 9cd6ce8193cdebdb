"""Which other origins may read answers: those on the list, with credentials; anyone, without, where it is public.

Starlette's middleware does the work. It would allow ``*`` together with credentials, so it is never built that way:
the list goes through ``check_origins``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

from service.web.origins import check_origins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "POST", "PATCH", "DELETE")
REQUEST_HEADERS = ("Authorization", "Content-Type", "X-Keyturn-Device", "X-Keyturn-Request")
EXPOSED_HEADERS = ("Retry-After", "WWW-Authenticate", "X-Keyturn-Device", "X-Request-Id")
PREFLIGHT_SECONDS = 600
_ORIGIN, _VARY = b"origin", b"vary"


class Cors:
    """Pure ASGI. ``public_paths`` are exact paths (JWKS, metadata); raises ``ValueError`` for an unsafe origin."""

    def __init__(
        self, app: ASGIApp, *, allowed_origins: Iterable[str] = (), public_paths: frozenset[str] = frozenset()
    ) -> None:
        self.app = app
        self.public_paths = public_paths
        self.public = CORSMiddleware(app, allow_origins=["*"], allow_methods=["GET"])
        self.listed = CORSMiddleware(
            app,
            allow_origins=check_origins(allowed_origins),
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the policy by the path."""
        if scope["type"] == "http" and not any(name == _ORIGIN for name, _ in scope["headers"]):
            await self.app(scope, receive, _varying(send))
            return
        is_public = scope["type"] == "http" and scope["path"] in self.public_paths
        await (self.public if is_public else self.listed)(scope, receive, send)


def _varying(send: Send) -> Send:
    """What Starlette's does for a request without an Origin, which most are: it says that answers differ by it."""

    async def varying_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            varies = [value for name, value in headers if name == _VARY]
            others = [header for header in headers if header[0] != _VARY] if varies else headers
            message["headers"] = [*others, (_VARY, b", ".join([*varies, b"Origin"]))]
        await send(message)

    return varying_send
