"""One HTTP/1.1 connection to DynamoDB: a request goes out, its answer comes back, and never two at a time.

llhttp (by httptools, the parser of uvicorn too) reads the answers. After anything but one whole answer to one request
the connection is ended and not used again, so that no request can ever get the answer of another.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpResponseParser

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""Above the largest answer of DynamoDB: 16 MB of a batch, in base64."""
_FINAL = 200


class ConnectionBroken(ConnectionError):
    """No whole answer came. ``was_silent`` when it was closed before one byte of an answer."""

    def __init__(self, reason: str, *, was_silent: bool = False) -> None:
        super().__init__(reason)
        self.was_silent = was_silent


class AnswerTimedOut(ConnectionBroken):
    """The answer took too long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Connection(asyncio.Protocol):
    """``on_lost`` is called once, when the connection has ended."""

    def __init__(self, on_lost: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._has_begun = False
        self.idle_since_seconds = 0.0
        self.lost = self._loop.create_future()

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and self._waiting is None and not self._transport.is_closing()

    async def exchange(self, request: bytes, *, timeout_seconds: float) -> Answer:
        """The answer to ``request``. Raises ConnectionBroken, AnswerTimedOut; the connection is then ended."""
        if self._transport is None or not self.is_usable:
            raise ConnectionBroken("closed", was_silent=True)
        self._waiting = self._loop.create_future()
        self._has_begun = False
        limit = self._loop.call_later(timeout_seconds, self._give_up)
        try:
            self._transport.write(request)
            answer = await self._waiting
            if self._transport.get_write_buffer_size():
                # It was answered before it was read: its rest would be taken for the beginning of the next one.
                self.abort()
        except BaseException:
            # Cancelled too: an answer that comes now is nobody's, and nobody else would close the connection.
            self.abort()
            raise
        finally:
            limit.cancel()
            self._waiting = None
        return answer

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # What follows is called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A piece of an answer; of nobody's, where none is waited for."""
        if self._waiting is None:
            self.abort()
            return
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(ConnectionBroken(f"not HTTP: {type(error).__name__}"))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended, whoever ended it."""
        reason = "closed" if error is None else type(error).__name__
        self._fail(ConnectionBroken(reason, was_silent=not self._has_begun))
        self._on_lost(self)
        if not self.lost.done():
            self.lost.set_result(None)

    def _give_up(self) -> None:
        self._fail(AnswerTimedOut("no answer in time"))

    def _fail(self, error: ConnectionBroken) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.abort()

    # What follows is called by the parser.

    def on_message_begin(self) -> None:
        """An answer begins; a second one to the same request ends the connection."""
        if self._waiting is None or self._waiting.done():
            self.abort()
        self._headers, self._body, self._body_bytes = {}, [], 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        self._headers[name.lower()] = value

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(piece)
        if self._body_bytes > MAX_ANSWER_BYTES:
            self._fail(ConnectionBroken("the answer is too large"))
            return
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        status = self._parser.get_status_code()
        if status < _FINAL:
            self._fail(ConnectionBroken("an answer before the answer"))
            return
        if not self._parser.should_keep_alive():
            self.abort()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(status=status, headers=self._headers, body=b"".join(self._body)))
