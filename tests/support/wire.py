"""HTTP/1.1 over one connection, as little as a test needs, so that hundreds of requests at once cost little."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

SECONDS = 60
ATTEMPTS = 10
_NONE: Mapping[str, str] = MappingProxyType({})


class Lost(Exception):
    """The connection ended before the answer had come; nobody knows whether the request was served."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


class Wire:
    """A connection that is kept alive: one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> Wire:
        parts = urlsplit(url)
        try:
            return cls(*await asyncio.open_connection(parts.hostname, parts.port))
        except OSError as error:
            raise Lost from error

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: Mapping[str, str] | None = None,
        bearer: str | None = None,
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        payload = b"" if body is None else json.dumps(body).encode()
        if form is not None:
            payload = urlencode(form).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(payload)}\r\n"
        head += "" if body is None else "Content-Type: application/json\r\n"
        head += "" if bearer is None else f"Authorization: Bearer {bearer}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        try:
            self._writer.write(head.encode() + b"\r\n" + payload)
            await self._writer.drain()
        except OSError as error:
            raise Lost from error

    async def receive(self) -> Answer:
        try:
            async with asyncio.timeout(SECONDS):
                head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                _, _, length = head.partition("content-length:")
                raw = await self._reader.readexactly(int(length.partition("\r")[0] or 0))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Lost from error
        return Answer(int(head[9:12]), raw.decode() if "text/html" in head else json.loads(raw) if raw else None)

    async def call(self, method: str, path: str, body: Any = None, *, bearer: str | None = None) -> Answer:
        await self.send(method, path, body, bearer=bearer)
        return await self.receive()

    async def post(self, path: str, body: Any = None, *, bearer: str | None = None) -> Answer:
        return await self.call("POST", path, body, bearer=bearer)

    async def insist(self, path: str, body: Any = None) -> Answer:
        """Post, and again while the answer is 503: a starved machine may not reach its store in time, and says so."""
        for _ in range(ATTEMPTS - 1):
            answer = await self.post(path, body)
            if answer.status != 503:
                return answer
            await asyncio.sleep(0.2)
        return await self.post(path, body)

    async def aclose(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            # The other end was quicker, or was killed; closed is closed.
            return


@asynccontextmanager
async def open_wires(urls: Sequence[str], count: int) -> AsyncIterator[list[Wire]]:
    """``count`` connections, dealt out to ``urls`` in turn."""
    wires = await asyncio.gather(*(Wire.open(urls[index % len(urls)]) for index in range(count)))
    try:
        yield wires
    finally:
        await asyncio.gather(*(wire.aclose() for wire in wires))


async def post_each(wires: Sequence[Wire], path: str, bodies: Iterable[Any]) -> list[Answer]:
    """Post every body, on each connection one at a time; the answers in the order of the bodies."""
    waiting = iter(list(enumerate(bodies)))
    answers: dict[int, Answer] = {}

    async def work(wire: Wire) -> None:
        for index, body in waiting:
            answers[index] = await wire.insist(path, body)

    await asyncio.gather(*map(work, wires))
    return [answers[index] for index in sorted(answers)]


async def post_at_once(wires: Sequence[Wire], path: str, body: Any) -> list[Answer]:
    """Post one body on every connection at the same moment."""
    return list(await asyncio.gather(*(wire.insist(path, body) for wire in wires)))
