"""Do two kinds of requests take the same time? A loaded machine must not make it a no, nor a leak a yes.

What a machine adds to a request only makes it slower, now and then by a lot, so the slow half of each kind says little:
compared are the means of the quick half. Two kinds differ when the difference is larger than a bound, and larger than
nearly all differences that come out when the same durations are dealt to the two kinds by chance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SHUFFLES = 1_000
LEAST_MS = 0.35


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``difference_ms`` is how much longer the first kind takes; ``chance`` how often shuffling does as much."""

    first_ms: float
    second_ms: float
    difference_ms: float
    chance: float

    def is_leak(self, *, share: float = 0.0) -> bool:
        """Whether the difference is there, and worth something: more than LEAST_MS, and than ``share`` of the whole."""
        bound_ms = max(LEAST_MS, share * min(self.first_ms, self.second_ms))
        return abs(self.difference_ms) > bound_ms and self.chance <= 1 / SHUFFLES


def location(durations: list[float]) -> float:
    """The mean of the quick half, without the quickest twentieth: there a timer's or a cache's luck counts most."""
    ordered = sorted(durations)
    kept = ordered[len(ordered) // 20 : len(ordered) // 2]
    return sum(kept) / len(kept)


def compare(first_ms: list[float], second_ms: list[float], *, seed: int = 1) -> Comparison:
    """A permutation test of the difference of the two locations."""
    difference = location(first_ms) - location(second_ms)
    both, deal, as_far = [*first_ms, *second_ms], random.Random(seed), 0
    for _ in range(SHUFFLES):
        deal.shuffle(both)
        dealt = location(both[: len(first_ms)]) - location(both[len(first_ms) :])
        as_far += abs(dealt) >= abs(difference)
    return Comparison(
        first_ms=location(first_ms),
        second_ms=location(second_ms),
        difference_ms=difference,
        chance=(as_far + 1) / (SHUFFLES + 1),
    )
