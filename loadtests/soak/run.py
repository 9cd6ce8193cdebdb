"""``make soak``: a mixed load at a steady rate for half an hour on a service of its own; exit status 1 when it suffers.

The rate is a part of what the machine can do, measured at the start. What must hold is in ``judge``: no unexpected
answer, nothing that grows, no stall of the event loop that is the process's own. Those of the machine are told apart.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import uvloop

from benchmarks.harness.wire import Wire
from loadtests.soak.deeds import settle
from loadtests.soak.judge import ALLOWANCES, CAUSES, Outcome, trend_of
from loadtests.soak.mailbox import Mailbox
from loadtests.soak.pace import Load, Tally
from loadtests.soak.person import World
from loadtests.soak.served import Served, served

CONNECTIONS = 24
WARM_UP = 0.2
"""The part of the run in which what fills once may fill."""
READINGS = 90
_STALLS = "keyturn_event_loop_stalls_total"
_MUST_STAY_ZERO = {
    "events that are not in the table": "keyturn_audit_dropped_total",
    "hashes refused": "keyturn_hash_refused_total",
    "mails given up": 'outcome="given_up"',
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked for; ``rate`` None takes ``share`` of what the machine can do."""

    seconds: float
    people: int
    share: float
    rate: float | None
    seed: int


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.4, help="of what the machine can do")
    parser.add_argument("--rate", type=float, help="deeds a second instead of a share")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="keep the service's log there")
    options = parser.parse_args(arguments)
    plan = Plan(
        seconds=options.seconds, people=options.people, share=options.share, rate=options.rate, seed=options.seed
    )
    with tempfile.TemporaryDirectory(prefix="keyturn-soak-") as folder:
        outcome = uvloop.run(soak(plan, Path(folder)))
        if options.log is not None:
            options.log.write_bytes((Path(folder) / "service.log").read_bytes())
    faults = outcome.faults()
    for fault in faults:
        say(f"FAULT {fault}")
    say("The soak failed." if faults else "The soak passed.")
    return 1 if faults else 0


async def soak(plan: Plan, folder: Path) -> Outcome:
    """Run the plan on a service of its own, and say what it came to."""
    random = Random(plan.seed)
    async with served(folder) as service:
        wires: asyncio.Queue[Wire] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            wires.put_nowait(Wire(service.url))
        world = World(wires=wires, mailbox=Mailbox(service.mail), random=random)
        load = Load(people=await settle(world, plan.people), random=random)
        able = await load.capacity(min(20.0, plan.seconds / 4))
        rate = plan.rate or able * plan.share
        say(f"{plan.people} people, {rate:.1f} deeds a second ({able:.1f} can be done) for {plan.seconds:g} s.")
        load.tally = Tally(unexpected=load.tally.unexpected)
        before = await _keep(load, service, rate=rate, seconds=plan.seconds)
        outcome = judge(service, load.tally, before=before, seconds=plan.seconds)
        while not wires.empty():
            await wires.get_nowait().aclose()
    tell(outcome, load.tally, service)
    return outcome


async def _keep(load: Load, service: Served, *, rate: float, seconds: float) -> dict[str, float]:
    """Load and readings; the metrics as they were when the warm-up was over."""
    begun, before = time.monotonic(), service.metrics()
    loading = asyncio.create_task(load.keep(rate, seconds))
    while not loading.done():
        await asyncio.wait([loading], timeout=max(0.25, seconds / READINGS))
        since = time.monotonic() - begun
        await asyncio.to_thread(service.read, since)
        if since < WARM_UP * seconds:
            before = await asyncio.to_thread(service.metrics)
    await loading
    return before


def judge(service: Served, tally: Tally, *, before: dict[str, float], seconds: float) -> Outcome:
    """What the run came to, without its warm-up."""
    after = service.metrics()
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    stalls = {cause: round(grown.get(f'{_STALLS}{{cause="{cause}"}}', 0.0)) for cause in CAUSES}
    counts = {
        told: sum(value for name, value in after.items() if wanted in name) for told, wanted in _MUST_STAY_ZERO.items()
    }
    warm = {
        name: [point for point in points if point[0] >= WARM_UP * seconds] for name, points in service.readings.items()
    }
    return Outcome(
        operations=tally.operations,
        unexpected=tally.unexpected,
        trends=[trend_of(allowance, warm[allowance.name]) for allowance in ALLOWANCES],
        stalls=stalls,
        counts={**counts, "bad lines in the log": float(len(service.bad_lines()))},
    )


def tell(outcome: Outcome, tally: Tally, service: Served) -> None:
    """The report."""
    for name, times in sorted(tally.seconds.items()):
        percentiles = statistics.quantiles([*times, *times], n=100)
        say(f"{name:<18}{len(times):>8}  p50 {percentiles[49] * 1000:7.1f} ms  p99 {percentiles[98] * 1000:7.1f} ms")
    say(f"{outcome.operations} deeds, {len(outcome.unexpected)} unexpected, {tally.nobody_free} found nobody free")
    for trend in outcome.trends:
        say(trend.line())
    say("stalls of 50 ms: " + ", ".join(f"{count} {cause}" for cause, count in outcome.stalls.items()))
    for line in [*service.stall_lines()[-10:], *service.bad_lines()[:10], *outcome.unexpected[:10]]:
        say(f"  {line}")


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
