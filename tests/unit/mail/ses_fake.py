"""SES's HTTP API, version 2, on loopback: as much of it as one mail needs, and any answer that a test wants."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATH = "/v2/email/outbound-emails"


@dataclass
class FakeSes:
    """``answers`` are (status, error code, words) to give before it takes mails; ``silent`` says nothing at all."""

    answers: list[tuple[int, str, str]] = field(default_factory=list)
    silent: bool = False
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
                writer.write(self._answer(body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

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
