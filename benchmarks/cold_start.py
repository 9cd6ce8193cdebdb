"""What a process costs until its first answer, in CPU time by step: Keyturn beside what it stands on, in turns."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from typing import TYPE_CHECKING

from benchmarks.harness.install import ROOT
from benchmarks.targets.context import PASSWORD
from benchmarks.targets.keyturn import environ
from benchmarks.targets.stock import stock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.targets.context import Context

STEPS = ("python", "import", "open", "first request")
NAMES = {"floor": "FastAPI, uvicorn and aioboto3's client alone", "keyturn": "Keyturn"}


async def cold_starts(context: Context, *, rounds: int) -> dict[str, dict[str, float]]:
    """``floor`` and ``keyturn`` to the median CPU milliseconds of each step, and how many ``modules`` are loaded."""
    variables = environ(context, name="keyturn-start")
    await stock(variables, people=0, sessions=0, password=PASSWORD)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    for _ in range(rounds):
        for name, runs in found.items():
            runs.append(await _start(name, variables))
    return {
        name: {step: statistics.median(run[step] for run in runs) for step in (*STEPS, "modules")}
        for name, runs in found.items()
    }


async def _start(name: str, variables: Mapping[str, str]) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.first_request", name),
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{name} does not start")
    told = json.loads(out.splitlines()[-1])
    return {**{step: told[step] * 1000 for step in STEPS}, "modules": told["modules"]}


def cold_start_lines(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The figures as Markdown."""
    yield from (
        "",
        "## Cold start",
        "",
        "CPU milliseconds of a process until it has answered once, and what it has loaded.",
        "",
    )
    yield f"| process | {' | '.join(STEPS)} | together | modules |"
    yield f"|{'---|' * (len(STEPS) + 3)}"
    for name, steps in found.items():
        spent = " | ".join(f"{steps[step]:.0f}" for step in STEPS)
        yield f"| {NAMES[name]} | {spent} | {_together(steps):.0f} | {steps['modules']:.0f} |"
    yield from ("", f"Keyturn's is {_together(found['keyturn']) / _together(found['floor']):.2f} of what it stands on.")


def _together(steps: Mapping[str, float]) -> float:
    return sum(steps[step] for step in STEPS)
