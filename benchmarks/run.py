"""``make bench``: Keyturn and its peers on one core, in interleaved rounds; writes docs/benchmarks.md.

The server has one core, load and database the other. Every figure is CPU time of the server's processes an operation,
the median over the rounds; only ratios within one run mean anything. In a round each operation is asked of one server
after the other, in short turns, so that a machine that gets slower does so for all of them. ``--short`` is a try-out
that writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from benchmarks import guard
from benchmarks.cold_start import cold_starts
from benchmarks.harness.install import NotHere
from benchmarks.harness.measure import Figures, Target, measure, measure_beside
from benchmarks.harness.processes import pin_load
from benchmarks.report import Run, write
from benchmarks.targets import peers, providers
from benchmarks.targets.context import Context
from benchmarks.targets.floors import floors
from benchmarks.targets.hydra import hydra
from benchmarks.targets.keyturn import keyturn
from benchmarks.targets.parts import Parts, open_parts
from benchmarks.units import count
from service.engines.process import EngineProcess
from service.engines.registry import choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    Opened = Callable[[Context], AbstractAsyncContextManager[Target]]

CONNECTIONS = 8
COUNTS_RIGHT = "dynoxide"
TURNS = (
    "sign up",
    "sign in, on a new device",
    "sign in",
    "refresh",
    "FastAPI hello",
    "guarded, from the token",
    "who am I, with the user read",
    "Starlette bytes",
    "key set",
    "client credentials",
)
"""The order in a round: what is compared stands side by side. The parts, measured bare, come before the sign-ins."""
AFTER_SECONDS = {"sign up": 0.3, "sign in, on a new device": 0.3}
"""Until the mails of the last have left."""
LIGHT = ("guarded, from the token", "who am I, with the user read", "key set")
"""What is asked beside sign-ins: the first that a server has."""
ALL: dict[str, Opened] = {
    "floors": floors,
    "keyturn": keyturn,
    "keyturn-libsodium": lambda context: keyturn(context, name="keyturn-libsodium", engine="libsodium"),
    "fastapi-users": peers.fastapi_users,
    "django": peers.django_simplejwt,
    "flask": peers.flask_jwt,
    "better-auth": peers.better_auth,
    "oidc-provider": providers.oidc_provider,
    "oidc-provider-dynamodb": lambda context: providers.oidc_provider(context, table="bench-oidc"),
    "hydra": hydra,
    "keycloak": providers.keycloak,
}
NOT_HERE = {
    "better-auth on DynamoDB": "the npm package @datar-platform/better-auth-dynamodb is not to be had (404)",
}


def main() -> int:
    """Run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=ALL, default=list(ALL), help="these servers")
    parser.add_argument("--rounds", type=int, default=12, choices=range(1, 31))
    parser.add_argument("--seconds", type=float, default=1.0, help="for each operation in each round, 0.2 to 30")
    parser.add_argument(
        "--leave-out", nargs="*", choices=("units", "start", "waits", "parts"), default=(), help="a part of the run"
    )
    parser.add_argument("--short", action="store_true", help="one round of a fifth of a second; nothing is written")
    arguments = parser.parse_args()
    rounds, seconds = (1, 0.2) if arguments.short else (arguments.rounds, min(30.0, max(0.2, arguments.seconds)))
    pin_load()
    left_out = frozenset(arguments.leave_out)
    done = uvloop.run(bench(arguments.only, left_out, rounds=rounds, seconds=seconds, short=arguments.short))
    write(done, keep=not arguments.short and not left_out and arguments.only == list(ALL))
    return 0


async def bench(names: list[str], left_out: frozenset[str], *, rounds: int, seconds: float, short: bool) -> Run:
    """Every operation of every server, in turns; ``left_out`` are "units", "start", "waits" and "parts"."""
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as folder:
        async with EngineProcess(engine := choose("auto")) as process:
            context = Context(folder=Path(folder), engine_url=process.endpoint_url, short=short)
            os.environ.update(context.aws)
            done = Run(
                rounds=rounds,
                seconds=seconds,
                connections=CONNECTIONS,
                engine=engine.name,
                skipped=dict(NOT_HERE),
            )
            if engine.name != COUNTS_RIGHT:
                done.skipped["DynamoDB units"] = f"the engine {engine.name} does not count them as DynamoDB does"
            elif "units" not in left_out:
                done.units = await count(names, context)
            if "start" not in left_out:
                done.cold_starts = await cold_starts(context, rounds=1 if short else 5)
            async with AsyncExitStack() as stack:
                targets = await _open(names, context, stack, done)
                parts = None if "parts" in left_out else await stack.enter_async_context(open_parts())
                for number in range(rounds + 1):
                    counts = number > 0
                    await _round(targets, parts, done, seconds=seconds, counts=counts)
                    if counts and "waits" not in left_out:
                        await _busy_round(targets, done, seconds=seconds)
            if parts is not None:
                done.guard_ms = await asyncio.to_thread(guard_ms, short=short)
            return done


def guard_ms(*, short: bool) -> dict[str, float]:
    """CPU milliseconds of a token in the guard library, by way of asking, and of the signature check in it."""
    found = guard.measure(rounds=1 if short else 7, calls=100 if short else 1000)
    return {name: seconds * 1000 for name, seconds in found.items()}


async def _open(names: list[str], context: Context, stack: AsyncExitStack, done: Run) -> dict[str, Target]:
    targets = {}
    for name in names:
        try:
            targets[name] = await stack.enter_async_context(ALL[name](context))
        except NotHere as reason:
            done.skipped[name] = str(reason)
            _say(f"{name}: skipped: {reason}")
            continue
        done.memory_bytes[name] = targets[name].idle_memory_bytes
        done.resident_bytes[name] = targets[name].running.resident_bytes()
        done.start_seconds[name] = targets[name].running.started_seconds
        _say(f"{name}: serves after {done.start_seconds[name]:.1f} s with {done.memory_bytes[name] / 2**20:.0f} MiB")
    return targets


async def _round(targets: dict[str, Target], parts: Parts | None, done: Run, *, seconds: float, counts: bool) -> None:
    asked = {operation for target in targets.values() for operation in target.operations}
    for operation in (*TURNS, *sorted(asked.difference(TURNS))):
        if operation == "sign in" and parts is not None:
            for part, cpu_ms in (await parts.measure(seconds)).items():
                done.parts_ms.setdefault(part, []).extend([cpu_ms] if counts else [])
        for name, target in targets.items():
            if (do := target.operations.get(operation)) is None:
                continue
            sample = await measure(
                target, do, connections=CONNECTIONS, seconds=seconds, after_seconds=AFTER_SECONDS.get(operation, 0.0)
            )
            if counts:
                done.figures.setdefault((name, operation), Figures()).samples.append(sample)
                _say(f"{name:<20} {operation:<28} {sample.cpu_ms:8.2f} ms {sample.per_second:8.0f}/s")


async def _busy_round(targets: dict[str, Target], done: Run, *, seconds: float) -> None:
    """Where a server has passwords and a light request: how long that waits while sign-ins want the whole core."""
    for name, target in targets.items():
        light = next((target.operations[asked] for asked in LIGHT if asked in target.operations), None)
        heavy = target.operations.get("sign in")
        if light is None or heavy is None:
            continue
        found = await measure_beside(target, light, heavy, heavy_connections=CONNECTIONS, seconds=seconds)
        done.beside.setdefault(name, []).append(found)
        _say(f"{name:<20} p99 alone {found.alone_p99_ms:.1f} ms, beside sign-ins {found.beside_p99_ms:.1f} ms")


def _say(line: Any) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
