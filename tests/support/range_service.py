"""A range service on loopback that knows one password, for what asks Have I Been Pwned."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager

PASSWORD = "seven bright red ducks"
DIGEST = hashlib.sha1(PASSWORD.encode()).hexdigest().upper()
BODY = f"{'0' * 34}A:17\r\n{DIGEST[5:]}:2\r\n".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nSet-Cookie: id=1; Path=/\r\n\r\n%s" % (len(BODY), BODY)


@asynccontextmanager
async def serving(answer, *, hold=False):
    """A server on loopback that says ``answer`` to each request; gives its URL and the heads that it received."""
    heads = []

    async def talk(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head)
                writer.write(answer)
                await writer.drain()
                if hold:
                    await asyncio.sleep(5)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()
