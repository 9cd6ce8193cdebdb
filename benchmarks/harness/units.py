"""A proxy on loopback between a server and its DynamoDB: it has every call say what it consumed, and adds that up.

It asks by the request's own ``ReturnConsumedCapacity``, so the server need not, and is no slower for being counted
with; it is in the way only while units are counted, never while CPU time is.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_TARGET = re.compile(rb"\r\nx-amz-target: *[^\r]*\.(\w+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"(\r\ncontent-length: *)(\d+)", re.IGNORECASE)
_ON_ITEMS = re.compile(r"((Batch|Transact)?(Get|Put|Update|Delete|Write)Items?|Query|Scan)")
_QUIET_SECONDS = 0.5


class NotCounted(Exception):
    """An answer that does not say what it consumed: a sum without it would be too small."""


@dataclass(frozen=True, kw_only=True)
class Units:
    """Calls, and what they consumed by DynamoDB's own count."""

    calls: float = 0
    write_units: float = 0
    read_units: float = 0

    def __add__(self, other: Units) -> Units:
        return Units(
            calls=self.calls + other.calls,
            write_units=self.write_units + other.write_units,
            read_units=self.read_units + other.read_units,
        )

    def __truediv__(self, times: int) -> Units:
        return Units(calls=self.calls / times, write_units=self.write_units / times, read_units=self.read_units / times)


@dataclass
class Counter:
    """What went through since ``take``. ``aside`` are (operation, end of the table's name) that no request causes."""

    upstream: str
    aside: frozenset[tuple[str, str]] = frozenset()
    url: str = ""
    _sum: Units = field(default_factory=Units)
    _failed: list[NotCounted] = field(default_factory=list)
    _under_way: int = 0
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> Units:
        """The sum so far, which begins anew. Raises NotCounted."""
        taken, failed = self._sum, self._failed
        self.forget()
        if failed:
            raise failed[0]
        return taken

    def forget(self) -> None:
        """Begin anew."""
        self._sum, self._failed = Units(), []

    async def settled(self) -> None:
        """Until nothing is under way and nothing has come for a while: servers write some things after the answer."""
        while True:
            self._stirred.clear()
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    await self._stirred.wait()
            except TimeoutError:
                if not self._under_way:
                    return

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the server."""
        parts = urlsplit(self.upstream)
        up_reader, up_writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while True:
                head, body = await _message(reader)
                self._under_way += 1
                self._stirred.set()
                try:
                    up_writer.write(_asking(head, body))
                    answer_head, answer = await _message(up_reader)
                    self._note(head, body, answer_head, answer)
                finally:
                    self._under_way -= 1
                    self._stirred.set()
                writer.write(answer_head + answer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            for end in (writer, up_writer):
                end.close()

    def _note(self, head: bytes, body: bytes, answer_head: bytes, answer: bytes) -> None:
        operation, table = _operation(head), orjson.loads(body).get("TableName", "")
        is_aside = any(operation == one and table.endswith(end) for one, end in self.aside)
        if is_aside or not _ON_ITEMS.fullmatch(operation):
            return
        try:
            self._sum += units_of(operation, int(answer_head[9:12]), orjson.loads(answer))
        except NotCounted as failed:
            self._failed.append(failed)


def units_of(operation: str, status: int, answer: Any) -> Units:
    """What one answer says it consumed. Raises NotCounted.

    DynamoDB takes one unit for a refused write of a small item, and does not say so in its answer.
    """
    is_write = operation in _WRITES
    refused = answer.get("__type", "").endswith("ConditionalCheckFailedException")
    if status != 200 and not refused:  # noqa: PLR2004
        raise NotCounted(f"{operation}: {status} {answer}")
    consumed = {"CapacityUnits": 1.0} if refused else answer.get("ConsumedCapacity")
    if consumed is None:
        raise NotCounted(f"{operation}: its answer does not say what it consumed")
    spent = sum(one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed]))
    return Units(calls=1, write_units=spent if is_write else 0, read_units=0 if is_write else spent)


@asynccontextmanager
async def counted(upstream: str, *, aside: frozenset[tuple[str, str]] = frozenset()) -> AsyncIterator[Counter]:
    """A counter on a free port before the engine at ``upstream``."""
    counter = Counter(upstream, aside)
    server = await asyncio.start_server(counter.serve, "127.0.0.1", 0, limit=2**20)
    counter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield counter
    finally:
        server.close()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    return head, await reader.readexactly(int(found[2]) if found else 0)


def _operation(head: bytes) -> str:
    found = _TARGET.search(head)
    return found[1].decode() if found else ""


def _asking(head: bytes, body: bytes) -> bytes:
    """The same request, that its answer may say what it consumed; what is no call on items stays as it is."""
    if not _ON_ITEMS.fullmatch(_operation(head)):
        return head + body
    asked = orjson.dumps({**orjson.loads(body), "ReturnConsumedCapacity": "TOTAL"})
    return _LENGTH.sub(rb"\g<1>%d" % len(asked), head) + asked
