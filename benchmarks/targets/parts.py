"""What an operation is compared with, bare: one hash, one signature, one check, one DynamoDB call."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.harness.processes import pin_to_server_core
from benchmarks.store_client import open_clients
from benchmarks.targets.context import PASSWORD
from service.kernel.entropy import SystemEntropy
from service.passwords.hasher import PasswordHasher
from service.passwords.pool import HashingPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from benchmarks.store_client import Clients

Found = TypeVar("Found")

CALL = "DynamoDB call, "
_HASHES, _CHECKS = 4, 50
_PAIRS_A_SECOND = 60


class Parts:
    """All of them in one thread on the server's core, a round with each round of the servers.

    So both meet the same neighbours. The thread is as warm as a server's hashing thread: of argon2-cffi's memory no
    page is new, of libsodium's all are. The clients of DynamoDB have an event loop of their own in it.
    """

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        scheme, message = ec.ECDSA(hashes.SHA256()), b"m" * 400
        signature, public = key.sign(message, scheme), key.public_key()
        self._works: dict[str, Callable[[], object]] = {
            "hash, argon2-cffi": _hash("argon2-cffi"),
            "hash, libsodium": _hash("libsodium"),
            "ES256 signature": lambda: key.sign(message, scheme),
            "ES256 check": lambda: public.verify(signature, message, scheme),
        }
        self._thread = ThreadPoolExecutor(1, initializer=pin_to_server_core)
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._stack = AsyncExitStack()
        self._clients: Clients | None = None

    async def open(self) -> None:
        """Open the clients; the endpoint is that of AWS's variables."""
        self._clients = await self._in_thread(lambda: self._runner.run(open_clients(self._stack)))

    async def close(self) -> None:
        """Close them, and end the thread."""
        await self._in_thread(lambda: self._runner.run(self._stack.aclose()))
        await self._in_thread(self._runner.close)
        self._thread.shutdown()

    async def measure(self, seconds: float) -> dict[str, float]:
        """One round, all in turns for ``seconds`` and then the clients: CPU milliseconds by name."""
        return await self._in_thread(lambda: {**self._computed(seconds), **self._called(seconds)})

    async def _in_thread(self, work: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _computed(self, seconds: float) -> dict[str, float]:
        spent, times = dict.fromkeys(self._works, 0.0), dict.fromkeys(self._works, 0)
        until = time.monotonic() + seconds
        while time.monotonic() < until or not times["ES256 check"]:
            for name, work in self._works.items():
                turns = _HASHES if name.startswith("hash") else _CHECKS
                # The one before has taken the caches: what it costs to have them back is not its own.
                work()
                begun = time.thread_time()
                for _ in range(turns):
                    work()
                spent[name] += time.thread_time() - begun
                times[name] += turns
        return {name: spent[name] * 1000 / times[name] for name in self._works}

    def _called(self, seconds: float) -> dict[str, float]:
        if self._clients is None:
            return {}
        found = self._runner.run(self._clients.measure(max(1, round(_PAIRS_A_SECOND * seconds))))
        return {CALL + name: cpu_ms for name, cpu_ms in found.items()}


@asynccontextmanager
async def open_parts() -> AsyncIterator[Parts]:
    """Parts with their clients of DynamoDB, for as long as the block runs."""
    parts = Parts()
    await parts.open()
    try:
        yield parts
    finally:
        await parts.close()


def _hash(engine: str) -> Callable[[], object]:
    hasher = PasswordHasher(pool=HashingPool(slots=1, queue=1), entropy=SystemEntropy(), engine=engine)  # type: ignore[arg-type]
    return lambda: hasher._make(PASSWORD.encode())
