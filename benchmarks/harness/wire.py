"""HTTP/1.1 over one kept connection, as little as a load needs; answers are read whole and believed only by status."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

_SECONDS = 60


class WrongAnswer(Exception):
    """An answer that is not the expected one: a figure that counts it would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, head as it came, and body."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        """The body, as JSON."""
        return orjson.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of the first line called ``name``, in small letters; None where there is none."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, text = line.partition(b":")
            if found.lower() == name.encode():
                return text.strip().decode()
        return None

    def cookies(self) -> str:
        """What Set-Cookie lines set, as a Cookie header says it."""
        lines = [line for line in self.head.split(b"\r\n") if line.lower().startswith(b"set-cookie:")]
        return "; ".join(line.split(b":", 1)[1].split(b";", 1)[0].strip().decode() for line in lines)


class Wire:
    """One connection; it is opened anew when the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._head = f"Host: {parts.hostname}:{parts.port}\r\n"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: str = "", form: bytes | None = None
    ) -> Answer:
        """One request; ``headers`` are whole lines. ``body`` goes as JSON, ``form`` as it is."""
        payload = form if form is not None else b"" if body is None else orjson.dumps(body)
        kind = "application/x-www-form-urlencoded" if form is not None else "application/json"
        content = f"Content-Type: {kind}\r\nContent-Length: {len(payload)}\r\n" if method != "GET" else ""
        request = f"{method} {path} HTTP/1.1\r\n{self._head}{headers}{content}\r\n".encode() + payload
        async with asyncio.timeout(_SECONDS):
            try:
                return await self._exchange(request)
            except (ConnectionError, asyncio.IncompleteReadError):
                await self.aclose()
                return await self._exchange(request)

    async def expect(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """``call``, and WrongAnswer unless the status is ``status``."""
        answer = await self.call(method, path, body, **options)
        if answer.status != status:
            raise WrongAnswer(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    async def aclose(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _exchange(self, request: bytes) -> Answer:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**20)
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, lower = int(head[9:12]), head.lower()
        if b"transfer-encoding: chunked" in lower:
            body = await self._chunks(self._reader)
        else:
            length = lower.partition(b"content-length:")[2].partition(b"\r")[0].strip()
            body = await self._reader.readexactly(int(length or 0))
        if b"\r\nconnection: close" in lower:
            await self.aclose()
        return Answer(status, head, body)

    @staticmethod
    async def _chunks(reader: asyncio.StreamReader) -> bytes:
        found = bytearray()
        while size := int(await reader.readuntil(b"\r\n"), 16):
            found += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return bytes(found)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
