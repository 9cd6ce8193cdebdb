"""Headers that make a browser treat an answer as what it is: data of one origin, not to be kept, framed or guessed at.

The ``Server`` header is taken from the application's answers; uvicorn adds its own after us unless it is started with
``server_header=False``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    RawHeader = tuple[bytes, bytes]

HSTS = "max-age=63072000; includeSubDomains"
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
READERS = ("same-origin", "cross-origin")
UNLESS_SET = {"Content-Security-Policy": DATA_POLICY, "Cache-Control": "no-store"}


class SecurityHeaders:
    """Pure ASGI. ``https``: the base URL is https. ``public_paths``: any origin may read them (JWKS, metadata).

    A route may set its own Content-Security-Policy, Cache-Control and Cross-Origin-Resource-Policy.
    """

    def __init__(self, app: ASGIApp, *, https: bool, public_paths: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.public_paths = public_paths
        self._always = _raw({**ALWAYS, "Strict-Transport-Security": HSTS} if https else ALWAYS)
        self._replaced = frozenset({b"server", *(name for name, _ in self._always)})
        self._unless_set = {
            readers: _raw({**UNLESS_SET, "Cross-Origin-Resource-Policy": readers}) for readers in READERS
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Complete the headers of one answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self.completed(message.get("headers", ()), path=path)
            await send(message)

        await self.app(scope, receive, guarded_send)

    def completed(self, headers: Iterable[RawHeader], *, path: str) -> list[RawHeader]:
        """The headers of an answer to a request for ``path``, and ours."""
        unless_set = self._unless_set[READERS[path in self.public_paths]]
        kept = [header for header in headers if header[0].lower() not in self._replaced]
        names = {name.lower() for name, _ in kept}
        return kept + self._always + [header for header in unless_set if header[0] not in names]


def _raw(headers: Mapping[str, str]) -> list[RawHeader]:
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
