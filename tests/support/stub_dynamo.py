"""A server on loopback that answers DynamoDB's requests from a script, whole, broken or late."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.store_proxy import close_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Reply:
    """What is written, and whether the connection ends after it. ``waits`` holds it back until it is set."""

    raw: bytes
    closes: bool = False
    waits: asyncio.Event | None = None


@dataclass(frozen=True)
class Asked:
    """A request as it came: which connection, from 0; its headers, names in lower case; its body."""

    connection: int
    head: bytes
    headers: dict[str, str]
    body: Any


def ok(value: Any, **headers: str) -> Reply:
    return answer(200, value, **headers)


def refusal(code: str, *, status: int = 400, message: str = "as DynamoDB says", headers=None, **members: Any) -> Reply:
    value = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **members}
    return answer(status, value, **(headers or {}))


def answer(status: int, value: Any, **headers: str) -> Reply:
    """JSON as DynamoDB sends it, with a checksum and a request id; ``headers`` replace and add (``_`` is ``-``)."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = {
        "content-type": "application/x-amz-json-1.0",
        "content-length": str(len(body)),
        "x-amzn-requestid": "R1",
        "x-amz-crc32": str(zlib.crc32(body)),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    return Reply(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)


HANG_UP = Reply(b"", closes=True)


@dataclass
class StubDynamo:
    """``replies`` are given in order, whatever was asked; ``asked`` is what came."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    ends: list[asyncio.StreamWriter] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, *replies: Reply) -> None:
        self.replies = list(replies)

    async def has_been_asked(self, times: int) -> None:
        """Wait until so many requests have come."""
        while len(self.asked) < times:
            self._came.clear()
            await self._came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        self.ends.append(writer)
        try:
            while True:
                self.asked.append(await _read(reader, number))
                self._came.set()
                reply = self.replies.pop(0)
                if reply.waits is not None:
                    await reply.waits.wait()
                writer.write(reply.raw)
                await writer.drain()
                if reply.closes:
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return


async def _read(reader: asyncio.StreamReader, connection: int) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:-2]
    headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(connection, head, headers, json.loads(body))


@asynccontextmanager
async def open_stub() -> AsyncIterator[StubDynamo]:
    """A stub on a free port of the loopback interface."""
    stub = StubDynamo()
    tasks: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await stub.serve(reader, writer)
        finally:
            await close_all(writer)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
