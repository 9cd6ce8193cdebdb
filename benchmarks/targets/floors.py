"""The floors: FastAPI and Starlette bare, our guard alone; and bare in a thread, one hash, one signature, one check."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.harness.install import PEERS
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, pin_to_server_core, run
from benchmarks.targets.context import PASSWORD, Context
from keyturn.testing.issuer import OfflineIssuer
from service.kernel.entropy import SystemEntropy
from service.passwords.hasher import PasswordHasher
from service.passwords.pool import HashingPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from benchmarks.harness.wire import Wire

_LIFE_SECONDS = 86_400
_HASHES = 4


@asynccontextmanager
async def floors(context: Context) -> AsyncIterator[Target]:
    """One worker of the same server, with nothing of the service in it."""
    port, issuer = free_port(), OfflineIssuer(issuer="http://127.0.0.1:1")
    token = issuer.token_for("ada", audience=issuer.issuer, lifetime=_LIFE_SECONDS)
    command = (
        *(sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "warning"),
        *("--no-access-log", "--no-server-header", "--loop", "uvloop", "--http", "httptools"),
    )
    variables = {"BENCH_JWKS": json.dumps(issuer.jwks()), "BENCH_ISSUER": issuer.issuer}
    program = Program(
        name="floors", command=command, folder=PEERS / "floors", port=port, environ=variables, ready="/hello"
    )

    async def hello(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/hello")

    async def static(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/static")

    async def guarded(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/me", headers=f"Authorization: Bearer {token}\r\n")

    with run(program, context.folder / "floors.log") as running:
        operations = {"FastAPI hello": hello, "Starlette bytes": static, "guarded, from the token": guarded}
        yield Target(running=running, operations=operations, idle_memory_bytes=running.memory_bytes())


class Parts:
    """One hash by each engine, one ES256 signature and one check, bare: in a thread on the server's core.

    A round of them goes with each round of the servers, so that both meet the same neighbours. The thread is as warm
    as a server's hashing thread: of argon2-cffi's memory no page is new, of libsodium's all are.
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
        self._rounds: dict[str, list[float]] = {name: [] for name in self._works}
        self._thread = ThreadPoolExecutor(1, initializer=pin_to_server_core)

    async def measure(self, seconds: float) -> None:
        """One round, all in turns."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._round, seconds)

    def cpu_ms(self) -> dict[str, float]:
        """The median over the rounds of what each costs, in CPU milliseconds."""
        return {name: statistics.median(found) for name, found in self._rounds.items() if found}

    def _round(self, seconds: float) -> None:
        spent, times = dict.fromkeys(self._works, 0.0), dict.fromkeys(self._works, 0)
        until = time.monotonic() + seconds
        while time.monotonic() < until or not times["ES256 check"]:
            for name, work in self._works.items():
                turns = _HASHES if name.startswith("hash") else 50
                # The one before has taken the caches: what it costs to have them back is not its own.
                work()
                begun = time.thread_time()
                for _ in range(turns):
                    work()
                spent[name] += time.thread_time() - begun
                times[name] += turns
        for name, found in self._rounds.items():
            found.append(spent[name] * 1000 / times[name])


def _hash(engine: str) -> Callable[[], object]:
    hasher = PasswordHasher(pool=HashingPool(slots=1, queue=1), entropy=SystemEntropy(), engine=engine)  # type: ignore[arg-type]
    return lambda: hasher._make(PASSWORD.encode())
