"""Do two kinds of requests take the same time? A loaded machine must not make it a no, nor a leak a yes.

**Pairs.** One of each kind is asked for in turn, and chance says which first. So whatever the machine does meanwhile,
and however it changes, each of the two of a pair was as likely to get it: were the kinds alike, swapping any two would
change nothing. That is the test: how often do random swaps make as large a difference as was found?

**What is compared.** What a machine adds to a request only makes it slower, now and then by a lot, so the slow half of
each kind says little: compared are the means of the quick half.

**The rule**, fixed beforehand: one look at one sample, no second. The kinds differ when the difference is larger than a
bound, and random swaps make as large a one at most ALPHA of the time. Alike kinds are called different with a chance of
at most ALPHA a comparison, however the machine behaves. The tests make about forty comparisons: one wrong alarm in 250
runs would be the most, and there are far fewer, since the bound must be passed as well.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 1e-4
LEAST_MS = 0.35
_SWAPS = 10_000
_ENOUGH = 10
"""So many as large by chance, and the question is answered."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``difference_ms`` is how much longer the first kind takes."""

    pairs_ms: Sequence[tuple[float, float]]
    first_ms: float
    second_ms: float

    @property
    def difference_ms(self) -> float:
        return self.first_ms - self.second_ms

    def is_leak(self, *, share: float = 0.0, seed: int = 1) -> bool:
        """Whether the difference is worth something (more than LEAST_MS and ``share`` of the whole), and no luck."""
        bound_ms = max(LEAST_MS, share * min(self.first_ms, self.second_ms))
        return abs(self.difference_ms) > bound_ms and self.chance(seed) <= ALPHA

    def chance(self, seed: int = 1) -> float:
        """How often random swaps within the pairs make as large a difference."""
        chance, as_far = random.Random(seed), 0
        for tried in range(1, _SWAPS + 1):  # noqa: B007 - how many there were is told at the end
            swaps = chance.getrandbits(len(self.pairs_ms))
            pairs = [pair if swaps >> at & 1 else pair[::-1] for at, pair in enumerate(self.pairs_ms)]
            as_far += abs(compare(pairs).difference_ms) >= abs(self.difference_ms)
            if as_far == _ENOUGH:
                break
        return (as_far + 1) / (tried + 1)


def location(durations: Sequence[float]) -> float:
    """The mean of the quick half, without the quickest twentieth: there a timer's or a cache's luck counts most."""
    ordered = sorted(durations)
    kept = ordered[len(ordered) // 20 : len(ordered) // 2]
    return sum(kept) / len(kept)


def compare(pairs_ms: Sequence[tuple[float, float]]) -> Comparison:
    """The two kinds, from durations that were measured in pairs."""
    first, second = zip(*pairs_ms, strict=True)
    return Comparison(pairs_ms=pairs_ms, first_ms=location(first), second_ms=location(second))
