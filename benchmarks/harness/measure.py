"""One operation of one server for some seconds: CPU time, throughput, latency. Bounded in time by itself."""

from __future__ import annotations

import asyncio
import statistics
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from benchmarks.harness.wire import Wire

if TYPE_CHECKING:
    from benchmarks.harness.processes import Running

Operation = Callable[[Wire, int], Awaitable[None]]
"""Does one operation on a connection; the number says which of the connections. Raises WrongAnswer."""

_LIGHT_CONNECTIONS = 4
_PAUSE_SECONDS = 0.01
_LEAD_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server with what can be asked of it."""

    running: Running
    operations: dict[str, Operation]
    idle_memory_bytes: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of one operation; ``latencies_seconds`` are of each time it was done, the shortest first."""

    operations: int
    cpu_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float
    latencies_seconds: Sequence[float] = ()


@dataclass
class Figures:
    """All samples of one operation."""

    samples: list[Sample] = field(default_factory=list)

    def median(self, name: str) -> float:
        """The middle of a field over the rounds."""
        return statistics.median(getattr(sample, name) for sample in self.samples)

    def spread(self, name: str) -> tuple[float, float]:
        """The least and the largest."""
        values = [getattr(sample, name) for sample in self.samples]
        return min(values), max(values)

    def pooled_ms(self, part: float) -> float:
        """A percentile of the latencies of all rounds together: 0.5 for the median."""
        return _percentile(sorted(chain.from_iterable(sample.latencies_seconds for sample in self.samples)), part)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Latencies of a light operation, alone and while a heavy one keeps the server's core busy."""

    alone_p50_ms: float
    alone_p99_ms: float
    beside_p50_ms: float
    beside_p99_ms: float
    heavy_per_second: float


async def measure_beside(
    target: Target, light: Operation, heavy: Operation, *, heavy_connections: int, seconds: float
) -> Beside:
    """``light`` at a steady pace for ``seconds`` alone, and then as long beside a closed loop of ``heavy``."""
    alone = await _paced(target, light, seconds=seconds)
    busy = asyncio.create_task(measure(target, heavy, connections=heavy_connections, seconds=seconds + _LEAD_SECONDS))
    # The queue fills first.
    await asyncio.sleep(_LEAD_SECONDS / 2)
    beside = await _paced(target, light, seconds=seconds)
    return Beside(
        alone_p50_ms=_percentile(alone, 0.5),
        alone_p99_ms=_percentile(alone, 0.99),
        beside_p50_ms=_percentile(beside, 0.5),
        beside_p99_ms=_percentile(beside, 0.99),
        heavy_per_second=(await busy).per_second,
    )


async def _paced(target: Target, operation: Operation, *, seconds: float) -> list[float]:
    latencies: list[float] = []
    until = time.monotonic() + seconds

    async def work(number: int) -> None:
        async with Wire(target.running.url) as wire:
            while (begun := time.monotonic()) < until:
                await operation(wire, number)
                latencies.append(time.monotonic() - begun)
                await asyncio.sleep(_PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for number in range(_LIGHT_CONNECTIONS):
            group.create_task(work(number))
    return sorted(latencies)


def _percentile(latencies: list[float], part: float) -> float:
    return latencies[int(len(latencies) * part)] * 1000


async def measure(
    target: Target, operation: Operation, *, connections: int, seconds: float, after_seconds: float = 0.0
) -> Sample:
    """``operation`` in a closed loop on ``connections`` connections for ``seconds``.

    What the server does within ``after_seconds`` after the last answer counts as well: its mails.
    """
    latencies: list[float] = []
    wires = [Wire(target.running.url) for _ in range(connections)]
    until = time.monotonic() + seconds

    async def work(wire: Wire, number: int) -> None:
        while (begun := time.monotonic()) < until:
            await operation(wire, number)
            latencies.append(time.monotonic() - begun)

    before, begun = target.running.cpu_seconds(), time.monotonic()
    try:
        async with asyncio.TaskGroup() as group:
            for number, wire in enumerate(wires):
                group.create_task(work(wire, number))
    finally:
        for wire in wires:
            await wire.aclose()
    took = time.monotonic() - begun
    await asyncio.sleep(after_seconds)
    spent = target.running.cpu_seconds() - before
    latencies.sort()
    return Sample(
        operations=len(latencies),
        cpu_ms=spent * 1000 / len(latencies),
        per_second=len(latencies) / took,
        p50_ms=_percentile(latencies, 0.5),
        p99_ms=_percentile(latencies, 0.99),
        latencies_seconds=array("d", latencies),
    )
