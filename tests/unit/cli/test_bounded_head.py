"""A head that never ends is cut off, and a connection that behaves is not."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

import uvicorn

from service.cli.bounded_head import HEAD_LIMIT_BYTES
from service.cli.server import server_config
from tests.support.store_wire import close_all


async def _app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def _connection():
    config = server_config(_app, host="127.0.0.1", port=0)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        await close_all(writer)
        await server.shutdown()
        await asyncio.sleep(0)


async def test_a_header_that_never_ends_is_cut_off_at_the_limit():
    async with _connection() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ")
        for _ in range(HEAD_LIMIT_BYTES // 8192 + 1):
            writer.write(b"a" * 8192)
            await asyncio.sleep(0.01)
        answer = await asyncio.wait_for(reader.read(), 20)
        assert answer.startswith(b"HTTP/1.1 400 ")


async def test_trailers_that_never_end_are_cut_off_at_the_limit():
    async with _connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Endless: ")
        for _ in range(HEAD_LIMIT_BYTES // 8192 + 1):
            writer.write(b"a" * 8192)
            await asyncio.sleep(0.01)
        rest = await asyncio.wait_for(reader.read(), 20)
        assert b"HTTP/1.1 400 " in rest or rest.startswith(b"HTTP/1.1 204 ")
        assert reader.at_eof()


async def test_many_requests_on_one_connection_are_counted_one_by_one():
    async with _connection() as (reader, writer):
        for _ in range(5):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (HEAD_LIMIT_BYTES // 3) + b"\r\n\r\n")
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 204 ")


async def test_a_large_body_is_not_taken_for_a_head():
    async with _connection() as (reader, writer):
        size = HEAD_LIMIT_BYTES * 2
        writer.write(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode() + b"a" * size)
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 204 ")


async def test_who_wants_a_websocket_gets_the_answer_of_a_request_and_no_line_of_the_log(caplog):
    wish = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4\r\n"
    async with _connection() as (reader, writer):
        with caplog.at_level(logging.DEBUG):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + wish + b"\r\n")
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 204 ")
    assert "pgrade" not in caplog.text
    assert "ebSocket" not in caplog.text
