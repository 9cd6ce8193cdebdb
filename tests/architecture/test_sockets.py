"""The tests themselves: nothing may leave this machine."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pytest_socket import SocketConnectBlockedError

# Addresses for documentation (RFC 5737): nobody is there, should the net have a hole.
ELSEWHERE = ["192.0.2.1", "198.51.100.7", "8.8.8.8"]


# pytest-socket warns before it refuses, and here a warning is an error.
REFUSED = (SocketConnectBlockedError, UserWarning)


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_connection_to_another_machine_is_refused(host):
    with socket.socket() as probe, pytest.raises(REFUSED, match=host):
        probe.connect((host, 443))
    with pytest.raises(REFUSED, match=host):
        await asyncio.wait_for(asyncio.open_connection(host, 443), timeout=1)


async def test_loopback_is_allowed():
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
