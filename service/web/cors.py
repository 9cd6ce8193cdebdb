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

    from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "PATCH", "DELETE")
REQUEST_HEADERS = ("Authorization", "Content-Type", "X-Keyturn-Device", "X-Keyturn-Request")
EXPOSED_HEADERS = ("Retry-After", "WWW-Authenticate", "X-Keyturn-Device", "X-Request-Id")
PREFLIGHT_SECONDS = 600


class Cors:
    """Pure ASGI. ``public_paths`` are exact paths (JWKS, metadata); raises ``ValueError`` for an unsafe origin."""

    def __init__(
        self, app: ASGIApp, *, allowed_origins: Iterable[str] = (), public_paths: frozenset[str] = frozenset()
    ) -> None:
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
        is_public = scope["type"] == "http" and scope["path"] in self.public_paths
        await (self.public if is_public else self.listed)(scope, receive, send)
