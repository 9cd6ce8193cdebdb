"""A small SMTP relay on loopback: as much of RFC 5321 as one mail needs, and any answer that a test wants."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Relay:
    """``answers`` replaces the answer to a command; ``commands`` and ``mails`` are what came in.

    ``silent_at`` and ``hangs_up_at`` name commands that it takes and does not answer; "mail" is the finished mail,
    which it has then.

    Run again, it is at the same ``port``.
    """

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    extensions: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    silent_at: frozenset[str] = frozenset()
    hangs_up_at: frozenset[str] = frozenset()
    commands: list[tuple[str, bool]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @asynccontextmanager
    async def running(self):
        context = self.tls if self.implicit_tls else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        encrypted = self.implicit_tls
        self._open.add(writer)
        try:
            if self.silent:
                await reader.read()
                return
            await self._say(writer, self.answers.get("greeting", "220 relay.test"))
            while line := (await reader.readline()).decode().strip():
                self.commands.append((line, encrypted))
                verb = line.split(" ")[0].upper()
                await self._answer(reader, writer, verb, encrypted=encrypted)
                if verb == "QUIT":
                    return
                if verb == "STARTTLS" and self.tls and verb not in self.answers:
                    await writer.start_tls(self.tls)
                    encrypted = True
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, _HungUp):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader, writer, verb, *, encrypted):
        await self._fall_silent(reader, verb)
        if verb in self.answers:
            await self._say(writer, self.answers[verb])
        elif verb == "EHLO":
            offers = ["relay.test", *self.extensions]
            if self.tls and not encrypted:
                offers.append("STARTTLS")
            await self._say(writer, *(f"250-{offer}" for offer in offers), "250 HELP")
        elif verb == "DATA":
            await self._say(writer, "354 go on")
            data = await reader.readuntil(b"\r\n.\r\n")
            self.mails.append(data.removesuffix(b".\r\n"))
            await self._fall_silent(reader, "mail")
            await self._say(writer, self.answers.get("mail", "250 taken"))
        else:
            answer = {"STARTTLS": "220 go on", "AUTH": "235 welcome", "QUIT": "221 bye"}
            await self._say(writer, answer.get(verb, "250 fine"))

    async def _fall_silent(self, reader, verb):
        if verb in self.hangs_up_at:
            raise _HungUp
        if verb in self.silent_at:
            await reader.read()
            raise _HungUp

    async def _say(self, writer, *lines):
        writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await writer.drain()


class _HungUp(Exception):
    """The relay has nothing more to say."""
