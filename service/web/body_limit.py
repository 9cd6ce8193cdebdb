"""A ceiling for request bodies, by what is declared and by what arrives.

A Content-Length that is no number, or two that differ, is refused by uvicorn's parsers; for the rest of the head see
``request_head``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import PayloadTooLarge
from service.web.problems import response_for

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LENGTH = b"content-length"
DEFAULT_LIMIT_BYTES = 16 * 1024


class BodyLimit:
    """Pure ASGI. Answers 413 at once where the length is declared, and as soon as too much has come where it is not."""

    def __init__(self, app: ASGIApp, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.app = app
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or count one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _declared_bytes(scope) > self.limit_bytes:
            await response_for(PayloadTooLarge("declared"))(scope, receive, send)
        else:
            await _Counted(self.app, self.limit_bytes, scope, receive, send).run()


class _Counted:
    """One request. Once the limit is passed the answer is 413, also where the application swallowed the exception."""

    def __init__(self, app: ASGIApp, limit_bytes: int, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = app
        self.left_bytes = limit_bytes
        self.scope = scope
        self.inner_receive = receive
        self.inner_send = send
        self.started = False
        self.replaced = False

    async def run(self) -> None:
        """Run the application on a body that stops at the limit."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except PayloadTooLarge:
            if self.started:
                raise
            await self._refuse()

    async def receive(self) -> Message:
        """The next message, counted."""
        message = await self.inner_receive()
        self.left_bytes -= len(message.get("body", b""))
        if self.left_bytes < 0:
            raise PayloadTooLarge("received")
        return message

    async def send(self, message: Message) -> None:
        """Pass ``message`` on; or the refusal in its place, if nothing was sent before the limit was passed."""
        if self.left_bytes < 0 and not self.started:
            self.replaced = True
            await self._refuse()
        elif not self.replaced:
            await self.inner_send(message)
        self.started = True

    async def _refuse(self) -> None:
        await response_for(PayloadTooLarge("received"))(self.scope, self.inner_receive, self.inner_send)


def _declared_bytes(scope: Scope) -> int:
    declared = [int(value) for name, value in scope["headers"] if name == _LENGTH and _is_number(value)]
    return max(declared, default=0)


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) <= len(str(2**63))
