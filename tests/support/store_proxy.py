"""A proxy between the service and its DynamoDB that does to a call what a test says.

The faults are in ``store_faults.py``. Calls are counted from 0 since the last ``inject``; what a process does in the
background is counted too.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from tests.support.store_wire import Call, Message, Upstream, close_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.replica import Replica


class Span(Enum):
    """How often a fault strikes."""

    ONCE = auto()
    """The call that it was injected at."""
    SAME = auto()
    """That call and whoever repeats it."""
    REST = auto()
    """That call and all that come after it."""


class Fault(Protocol):
    """What becomes of a call that it fits."""

    def fits(self, call: Call) -> bool: ...

    async def __call__(self, exchange: Exchange) -> None:
        """Answer, or do not."""
        ...


@dataclass(eq=False)
class Exchange:
    """A call under way, as a fault sees it. Whoever neither answers nor breaks off leaves the service waiting."""

    call: Call
    upstream: Upstream
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    reached: asyncio.Event
    serving: set[Exchange]
    is_open: bool = True

    async def serve(self, message: Message | None = None) -> Message:
        """Let the store serve the call, or another in its place."""
        self.serving.add(self)
        try:
            return await self.upstream.serve(message or self.call.sent)
        finally:
            self.serving.discard(self)

    async def answer(self, message: Message) -> None:
        self.writer.write(message.head + message.body)
        await self.writer.drain()

    async def answer_with(self, status: int, body: bytes, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.answer(Message("\r\n".join(lines).encode(), body))

    def break_off(self) -> None:
        """Reset the connection."""
        connected = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        self.is_open = False

    async def stay_silent(self) -> None:
        """Say nothing more until the other end hangs up."""
        self.reached.set()
        await self.reader.read()
        self.is_open = False


@dataclass(repr=False)
class StoreProxy:
    """``calls`` are those since the last ``inject``; ``struck`` those that the fault was done to."""

    upstream: str
    url: str = ""
    replica: Replica | None = None
    calls: list[Call] = field(default_factory=list)
    struck: list[Call] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a fault that stays silent."""
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    serving: set[Exchange] = field(default_factory=set)
    """Calls that the store is at; also such as nobody waits for any more."""
    _fault: Fault | None = None
    _at: int = 0
    _span: Span = Span.ONCE

    def inject(self, fault: Fault, *, at: int, span: Span = Span.ONCE) -> None:
        """Begin to count anew, and do ``fault`` to call ``at``."""
        self.clear()
        self._fault, self._at, self._span = fault, at, span

    def clear(self) -> None:
        """Begin to count anew; nothing happens to any call."""
        self.calls, self.struck, self.reached, self._fault = [], [], asyncio.Event(), None

    @property
    def seen(self) -> list[str]:
        """The operations of the calls."""
        return [call.operation for call in self.calls]

    def _fault_of(self, call: Call) -> Fault | None:
        if self._fault is None or call.number < self._at:
            return None
        is_struck = call.number == self._at or self._span is Span.REST
        if self._span is Span.SAME and self.struck:
            is_struck = call.repeats(self.struck[0])
        if not is_struck or not self._fault.fits(call):
            return None
        self.struck.append(call)
        return self._fault

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the service."""
        upstream = Upstream(self.upstream, self.replica)
        try:
            while True:
                message = await Message.read(reader)
                call = Call(len(self.calls), message)
                self.calls.append(call)
                exchange = Exchange(call, upstream, reader, writer, self.reached, self.serving)
                fault = self._fault_of(call)
                await (passed(exchange) if fault is None else fault(exchange))
                if not exchange.is_open:
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The service hung up or was killed, or the test is over.
            return
        finally:
            await upstream.aclose()


async def passed(exchange: Exchange) -> None:
    """Nothing happens to the call."""
    await exchange.answer(await exchange.serve())


@asynccontextmanager
async def open_store_proxy(upstream: str, *, replica: Replica | None = None) -> AsyncIterator[StoreProxy]:
    """A proxy on a free port of the loopback interface."""
    proxy = StoreProxy(upstream, replica=replica)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections.add(task := asyncio.current_task())
        try:
            await proxy.serve(reader, writer)
        finally:
            proxy.connections.discard(task)
            await close_all(writer)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        # Who was accepted last begins to be served, so that it can be ended.
        await asyncio.sleep(0)
        connections = list(proxy.connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
