"""The floors: FastAPI and Starlette bare, our guard alone; and in this process one hash, one signature, one check."""

from __future__ import annotations

import json
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.harness.install import PEERS
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, run
from benchmarks.targets.context import PASSWORD, Context
from keyturn.testing.issuer import OfflineIssuer
from service.kernel.entropy import SystemEntropy
from service.passwords.hasher import PasswordHasher
from service.passwords.pool import HashingPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from benchmarks.harness.wire import Wire

_LIFE_SECONDS = 86_400


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


def in_process(seconds: float) -> dict[str, float]:
    """CPU milliseconds of one hash by each engine, one ES256 signature and one check, one after another in turns."""
    key = ec.generate_private_key(ec.SECP256R1())
    scheme, message = ec.ECDSA(hashes.SHA256()), b"m" * 400
    signature, public = key.sign(message, scheme), key.public_key()
    works: dict[str, Callable[[], object]] = {
        "hash, argon2-cffi": _hash("argon2-cffi"),
        "hash, libsodium": _hash("libsodium"),
        "ES256 signature": lambda: key.sign(message, scheme),
        "ES256 check": lambda: public.verify(signature, message, scheme),
    }
    spent, times, until = dict.fromkeys(works, 0.0), dict.fromkeys(works, 0), time.monotonic() + seconds
    while time.monotonic() < until:
        for name, work in works.items():
            begun = time.process_time()
            for _ in range(1 if name.startswith("hash") else 50):
                work()
                times[name] += 1
            spent[name] += time.process_time() - begun
    return {name: spent[name] * 1000 / times[name] for name in works}


def _hash(engine: str) -> Callable[[], object]:
    hasher = PasswordHasher(pool=HashingPool(slots=1, queue=1), entropy=SystemEntropy(), engine=engine)  # type: ignore[arg-type]
    return lambda: hasher._make(PASSWORD.encode())
