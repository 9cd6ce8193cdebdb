"""What a soak must show: no unexpected answer, nothing that grows, no stall of the process's own. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEBIBYTE = 2**20
OWN = ("busy", "blocked")
"""Causes of stalls that are the process's own; others come of a machine that is too small or has other work."""
CAUSES = (*OWN, "crowded", "machine")
Point = tuple[float, float]
"""Seconds since the load began, and a value."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How much a value may grow over the whole run, by its trend after the warm-up."""

    name: str
    growth: float
    unit: str = ""
    scale: float = 1


ALLOWANCES = (
    Allowance(name="memory", growth=8 * MEBIBYTE, unit=" MiB", scale=MEBIBYTE),
    Allowance(name="open files", growth=8),
    Allowance(name="threads", growth=2),
    Allowance(name="tasks", growth=8),
)
"""Caches that have a bound fill up for a while, and connections come and go; a leak passes these in half an hour."""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How a value went: its median at the beginning and the end, and its growth over the time looked at."""

    allowance: Allowance
    first: float
    last: float
    growth: float

    @property
    def grows(self) -> bool:
        """Whether it grew by more than is allowed."""
        return self.growth > self.allowance.growth

    def line(self) -> str:
        """For the report."""
        scale, unit = self.allowance.scale, self.allowance.unit
        values = (self.first / scale, self.last / scale, self.growth / scale, self.allowance.growth / scale)
        first, last, growth, allowed = (f"{value:.1f}{unit}" for value in values)
        return f"{self.allowance.name}: {first} to {last}, trend {growth} over the run, allowed {allowed}"


def trend_of(allowance: Allowance, points: Sequence[Point]) -> Trend:
    """The trend of at least two points, by the median of all slopes: one spike moves it little. Raises ValueError."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0]]
    if not slopes:
        raise ValueError(f"{allowance.name} was read too seldom to tell a trend")
    part = max(1, len(points) // 5)
    return Trend(
        allowance=allowance,
        first=statistics.median(value for _, value in points[:part]),
        last=statistics.median(value for _, value in points[-part:]),
        growth=statistics.median(slopes) * (points[-1][0] - points[0][0]),
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to. ``stalls`` by cause, ``counts`` of what must stay zero by name."""

    operations: int
    unexpected: Sequence[str]
    trends: Sequence[Trend]
    stalls: Mapping[str, int]
    counts: Mapping[str, float] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """Why the run failed; nothing when it did not."""
        found = [] if self.operations else ["no operation was made"]
        if self.unexpected:
            found.append(f"{len(self.unexpected)} unexpected answers, the first: {self.unexpected[0]}")
        found += [f"grows: {trend.line()}" for trend in self.trends if trend.grows]
        found += [
            f"{count} stalls of the event loop of 50 ms, {cause}"
            for cause, count in self.stalls.items()
            if count and cause in OWN
        ]
        found += [f"{name}: {count:g}" for name, count in self.counts.items() if count]
        return found
