"""``make bench`` still runs: its code follows the service's signatures, and a run that went wrong says so."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from benchmarks.harness.processes import Program, free_port, run
from benchmarks.run import ALL, bench
from benchmarks.targets.floors import floors

ROOT = Path(__file__).parents[2]
OPERATIONS = {
    "keyturn": {
        *("sign up", "sign in", "sign in, on a new device", "refresh", "who am I, with the user read", "key set"),
    },
    "floors": {"FastAPI hello", "Starlette bytes", "guarded, from the token"},
}


async def make_bench(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.run", "--short", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.timeout(300)
async def test_keyturn_and_the_floors_are_measured_without_any_peer():
    page = (ROOT / "docs/benchmarks.md").read_bytes()
    code, out = await make_bench("--only", "floors", "keyturn", "--leave-out", "units", "start", "parts")
    assert code == 0, out
    measured = set(re.findall(r"^(\w+) +(.+?) +[\d.]+ ms +\d+/s$", out, re.MULTILINE))
    assert measured == {(name, operation) for name, operations in OPERATIONS.items() for operation in operations}
    assert re.search(r"^keyturn +p99 alone [\d.]+ ms, beside sign-ins [\d.]+ ms$", out, re.MULTILINE)
    assert "| idle worker | | " in out
    assert (ROOT / "docs/benchmarks.md").read_bytes() == page


@asynccontextmanager
async def refuses(context):
    async with floors(context) as target:

        async def ask(wire, _number):
            await wire.expect(204, "GET", "/hello")

        yield replace(target, operations={"ask": ask})


@asynccontextmanager
async def does_not_start(context):
    command = (sys.executable, "-c", "raise SystemExit('out of order')")
    program = Program(name="broken", command=command, folder=context.folder, port=free_port())
    with run(program, context.folder / "log") as running:
        yield running


@pytest.mark.parametrize(
    ("target", "failure"), [(refuses, "GET /hello: 200"), (does_not_start, "out of order")], ids=["refuses", "broken"]
)
async def test_an_operation_or_a_start_that_fails_ends_the_run(target, failure):
    with (
        patch.dict(os.environ),
        patch.dict(ALL, {"one": target}),
        pytest.raises((SystemExit, BaseExceptionGroup)) as ended,
    ):
        await bench(["one"], frozenset({"units", "start", "waits", "parts"}), rounds=1, seconds=0.1, short=True)
    said = str(ended.value) if ended.type is SystemExit else str(ended.value.exceptions[0])
    assert failure in said
