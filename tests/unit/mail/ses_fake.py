"""SES's HTTP API, version 2, on loopback: as much of it as one mail needs, and any answer that a test wants."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATH = "/v2/email/outbound-emails"


@dataclass
class FakeSes:
    """``answers`` are (status, error code, words) to give before it takes mails; ``silent`` says nothing at all.

    ``loses`` is how the answer to a mail that was taken is lost: "silence", "hang-up" or "reset".
    """

    answers: list[tuple[int, str, str]] = field(default_factory=list)
    silent: bool = False
    loses: str = ""
    heads: list[str] = field(default_factory=list)
    requests: list[dict] = field(default_factory=list)
    url: str = ""

    @property
    def mails(self):
        return [base64.b64decode(request["Content"]["Raw"]["Data"]) for request in self.requests]

    @asynccontextmanager
    async def running(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                self.heads.append(head)
                if self.silent:
                    await reader.read()
                    return
                answer = self._answer(body)
                if self.loses:
                    await self._lose(reader, writer)
                    return
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _lose(self, reader, writer):
        if self.loses == "silence":
            await reader.read()
        elif self.loses == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _answer(self, body):
        if self.answers:
            status, code, words = self.answers.pop(0)
            return _response(status, {"message": words}, f"x-amzn-ErrorType: {code}\r\n")
        self.requests.append(json.loads(body))
        return _response(200, {"MessageId": f"0100-{len(self.requests)}"})


def _response(status, body, extra=""):
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
    return head.encode() + data
