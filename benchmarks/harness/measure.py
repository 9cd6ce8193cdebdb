"""One operation of one server for some seconds: CPU time, throughput, latency. Bounded in time by itself."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.harness.wire import Wire

if TYPE_CHECKING:
    from benchmarks.harness.processes import Running

Operation = Callable[[Wire, int], Awaitable[None]]
"""Does one operation on a connection; the number says which of the connections. Raises WrongAnswer."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server with what can be asked of it."""

    running: Running
    operations: dict[str, Operation]
    idle_memory_bytes: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of one operation."""

    operations: int
    cpu_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float


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


async def measure(target: Target, operation: Operation, *, connections: int, seconds: float) -> Sample:
    """``operation`` in a closed loop on ``connections`` connections for ``seconds``."""
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
    spent, took = target.running.cpu_seconds() - before, time.monotonic() - begun
    latencies.sort()
    return Sample(
        operations=len(latencies),
        cpu_ms=spent * 1000 / len(latencies),
        per_second=len(latencies) / took,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1000,
    )
