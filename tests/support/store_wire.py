"""DynamoDB's calls as they are on the wire, for what stands between the service and its store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zlib import crc32

if TYPE_CHECKING:
    from tests.support.replica import Replica

_TOKEN = "ClientRequestToken"
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


@dataclass(frozen=True)
class Message:
    """An HTTP message as it came: the head with its blank line, and the body."""

    head: bytes
    body: bytes

    @classmethod
    async def read(cls, reader: asyncio.StreamReader) -> Message:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _header(head, b"content-length")
        assert length, "a message without a length"
        return cls(head, await reader.readexactly(int(length)))

    @cached_property
    def value(self) -> Any:
        return json.loads(self.body)

    @cached_property
    def operation(self) -> str:
        """What a request asks for."""
        return _header(self.head, b"x-amz-target").decode().rpartition(".")[2]

    @property
    def is_write(self) -> bool:
        return self.operation in _WRITES

    @property
    def is_ok(self) -> bool:
        """Whether an answer is no error."""
        return self.head.split(b" ", 2)[1] == b"200"

    def asking(self, operation: str, value: Any) -> Message:
        """The same request for something else."""
        head = self.head.replace(f".{self.operation}\r\n".encode(), f".{operation}\r\n".encode())
        return Message(head, self.body).with_value(value)

    def with_value(self, value: Any) -> Message:
        """The same message with another body."""
        body = json.dumps(value).encode()
        true = {b"content-length": b"%d" % len(body), b"x-amz-crc32": b"%d" % crc32(body)}
        first, *lines = self.head.split(b"\r\n")[:-2]
        for index, line in enumerate(lines):
            name = line.partition(b":")[0]
            lines[index] = name + b": " + true[name.lower()] if name.lower() in true else line
        return Message(b"\r\n".join([first, *lines, b"", b""]), body)


@dataclass(frozen=True)
class Call:
    """One request to DynamoDB."""

    number: int
    sent: Message

    @property
    def operation(self) -> str:
        return self.sent.operation

    @property
    def arguments(self) -> dict[str, Any]:
        return self.sent.value

    @property
    def is_write(self) -> bool:
        return self.sent.is_write

    def repeats(self, other: Call) -> bool:
        """Whether it asks for the same; each try of a transaction has a token of its own."""
        mine, others = ({**call.arguments, _TOKEN: ""} for call in (self, other))
        return self.operation == other.operation and mine == others


@dataclass
class Upstream:
    """A connection to the store, made when it is needed."""

    url: str
    replica: Replica | None
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def serve(self, message: Message) -> Message:
        """The store's answer, or the lagging replica's."""
        return await (self.send(message) if self.replica is None else self.replica.serve(message, self.send))

    async def send(self, message: Message) -> Message:
        if self.streams is None:
            parts = urlsplit(self.url)
            self.streams = await asyncio.open_connection(parts.hostname, parts.port)
        reader, writer = self.streams
        writer.write(message.head + message.body)
        return await Message.read(reader)

    async def aclose(self) -> None:
        if self.streams is not None:
            await close_all(self.streams[1])


async def close_all(*writers: asyncio.StreamWriter) -> None:
    """Close connections and wait for it; a loop that ends before leaves them to the garbage collector."""
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return b""
