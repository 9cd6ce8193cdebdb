"""Quotas by GCRA (the generic cell rate algorithm): a burst, then one an interval; one number of state.

That number is the theoretical arrival time: when the quota would be full again. It never lies more than
``burst x interval`` ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

SKEW_MS = 60_000
"""How far the clocks of two workers may differ."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """``burst`` at once, then one each ``interval_seconds``."""

    name: str
    burst: int
    interval_seconds: int

    def __post_init__(self) -> None:
        if min(self.burst, self.interval_seconds) < 1:
            raise ValueError(f"{self.name}: every number of a quota is 1 or more")

    @property
    def interval_ms(self) -> int:
        """The time that one takes to come back."""
        return self.interval_seconds * 1000

    @property
    def depth_ms(self) -> int:
        """How far ahead the state may lie."""
        return self.burst * self.interval_ms

    def most_in(self, seconds: int) -> int:
        """The most that pass in any ``seconds``, both ends included."""
        return self.burst + seconds // self.interval_seconds


@dataclass(frozen=True, kw_only=True)
class Spent:
    """One was taken; ``full_ms`` is the new state."""

    full_ms: int


@dataclass(frozen=True, kw_only=True)
class Over:
    """Nothing is left before ``until_ms``."""

    until_ms: int


def spend(full_ms: int, now_ms: int, quota: Quota) -> Spent | Over:
    """Take one from a quota whose state is ``full_ms``, 0 for one never used.

    A state further ahead than it can come by spending was written by a clock that is wrong, and starts anew.
    """
    is_ours = now_ms <= full_ms <= now_ms + quota.depth_ms + SKEW_MS
    next_ms = (full_ms if is_ours else now_ms) + quota.interval_ms
    if next_ms > now_ms + quota.depth_ms:
        return Over(until_ms=next_ms - quota.depth_ms)
    return Spent(full_ms=next_ms)
