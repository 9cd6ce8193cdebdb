"""A mail server on loopback that takes every mail and keeps the newest of each address (of RFC 5321 a little)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LIMIT_BYTES = 2**20


@dataclass
class MailSink:
    """``url`` as Keyturn's settings have it, and plain texts by address."""

    url: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            writer.write(b"220 bench\r\n")
            while line := await reader.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self._keep(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 bench\r\n")
                if word == b"QUIT":
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _keep(self, data: bytes) -> None:
        mail = message_from_bytes(data, policy=policy.SMTP)
        text = mail.get_body(("plain",))
        self.texts[mail["To"]] = "" if text is None else text.get_content()


@asynccontextmanager
async def mail_sink() -> AsyncIterator[MailSink]:
    """A sink on a free port, as long as the block runs."""
    sink = MailSink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, limit=_LIMIT_BYTES)
    sink.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield sink
    finally:
        server.close()
