"""Connections to one endpoint: kept open between requests, bounded in number, the last used first.

So those that only a burst has needed stay unused, and are closed when they have been for long.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.store.lean.connection import Connection, ConnectionBroken

if TYPE_CHECKING:
    import ssl

    from service.kernel.clock import Clock
    from service.store.lean.connection import Answer

_CLOSE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where DynamoDB is; ``tls`` is None for an engine that speaks plainly."""

    hostname: str
    port: int
    tls: ssl.SSLContext | None


@dataclass(frozen=True, kw_only=True)
class PoolLimits:
    """The same numbers that the SDK's client gets."""

    connections: int
    connect_seconds: float
    answer_seconds: float
    keep_seconds: float


class Pool:
    """Sends requests over at most ``limits.connections`` connections; further ones wait for their turn."""

    def __init__(self, endpoint: Endpoint, limits: PoolLimits, clock: Clock) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.connections)
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()

    async def exchange(self, request: bytes) -> Answer:
        """The answer to ``request``. Raises OSError when there is none.

        A server may close an idle connection at the very moment when it is used again. Then not a byte of an answer
        has come, and the request is sent once more at once, over a new connection. Should the first have been served
        nevertheless, that is the blind retry of every SDK, which callers are made for.
        """
        async with self._slots:
            connection = self._take_idle()
            if connection is not None:
                try:
                    return await self._over(connection, request)
                except ConnectionBroken as broken:
                    if not broken.was_silent:
                        raise
            return await self._over(await self._connect(), request)

    async def aclose(self) -> None:
        """End all connections, those under way too, and wait until they have ended."""
        lost = [connection.lost for connection in self._open]
        for connection in tuple(self._open):
            connection.abort()
        if lost:
            await asyncio.wait(lost, timeout=_CLOSE_SECONDS)

    async def _over(self, connection: Connection, request: bytes) -> Answer:
        answer = await connection.exchange(request, timeout_seconds=self._limits.answer_seconds)
        if connection.is_usable:
            self._keep(connection)
        return answer

    def _keep(self, connection: Connection) -> None:
        now_seconds = self._clock.monotonic_seconds()
        while self._idle and self._idle[0].idle_since_seconds < now_seconds - self._limits.keep_seconds:
            self._idle.popleft().abort()
        connection.idle_since_seconds = now_seconds
        self._idle.append(connection)

    def _take_idle(self) -> Connection | None:
        oldest_seconds = self._clock.monotonic_seconds() - self._limits.keep_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and connection.idle_since_seconds >= oldest_seconds:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> Connection:
        endpoint, loop = self._endpoint, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._open.discard), endpoint.hostname, endpoint.port, ssl=endpoint.tls
                )
        except TimeoutError as error:
            raise ConnectionBroken("no connection in time") from error
        self._open.add(connection)
        return connection
