"""The floors: FastAPI and Starlette bare, and our guard alone."""

from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from benchmarks.harness.install import PEERS
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, run
from keyturn.testing.issuer import OfflineIssuer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.harness.wire import Wire
    from benchmarks.targets.context import Context

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
