"""A proxy between one worker and its DynamoDB that loses, withholds or stops at the calls that a test names."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Fate(Enum):
    """What becomes of a call."""

    PASS = auto()
    STOP_BEFORE = auto()
    """It does not reach the store, and nothing comes back."""
    STOP_AFTER = auto()
    """The store has served it, and nothing comes back."""
    LOSE_ANSWER = auto()
    """The store has served it, and the connection breaks instead of an answer."""


@dataclass
class StoreProxy:
    """``fates`` say what becomes of the calls from now on, one each; whatever comes after them passes."""

    upstream: str
    url: str = ""
    fates: list[Fate] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, *fates: Fate) -> None:
        """Begin to count anew."""
        self.fates, self.seen, self.stopped = list(fates), [], asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the worker, with one of its own to the store."""
        parts = urlsplit(self.upstream)
        up_reader, up_writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while await self._one_call(reader, writer, up_reader, up_writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The worker hung up or was killed, or the test is over.
            return
        finally:
            await close_all(up_writer)

    async def _one_call(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> bool:
        head, body = await _message(reader)
        self.seen.append(_target(head))
        fate = self.fates.pop(0) if self.fates else Fate.PASS
        if fate is not Fate.STOP_BEFORE:
            up_writer.write(head + body)
            answer = await _message(up_reader)
            if fate is Fate.LOSE_ANSWER:
                return False
            if fate is Fate.PASS:
                writer.write(b"".join(answer))
                await writer.drain()
                return True
        self.stopped.set()
        # Nothing more is said on this connection until the worker is gone.
        await reader.read()
        return False


@asynccontextmanager
async def open_store_proxy(upstream: str) -> AsyncIterator[StoreProxy]:
    """A proxy on a free port of the loopback interface."""
    proxy = StoreProxy(upstream)
    connections: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        try:
            await proxy.serve(reader, writer)
        finally:
            await close_all(writer)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        # Who was accepted last begins to be served, so that it can be ended.
        await asyncio.sleep(0)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def close_all(*writers: asyncio.StreamWriter) -> None:
    """Close connections and wait for it; a loop that ends before leaves them to the garbage collector."""
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length:")
    assert found, "a message without a length"
    return head, await reader.readexactly(int(rest.partition(b"\r")[0]))


def _target(head: bytes) -> str:
    _, _, rest = head.lower().partition(b"x-amz-target:")
    return rest.partition(b"\r")[0].decode().rpartition(".")[2]
