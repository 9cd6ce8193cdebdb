"""The feed as a process holds it between two readings: in order, without what is too old, and bounded. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from service.revocations.items import place_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.revocations.items import Placed

MAX_ENTRIES = 100_000
"""Some 20 MB. What is beyond is left out, the oldest first, and said to be left out."""


_PLACE = itemgetter(0)


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What one reading brought. ``forgotten_ms``: entries up to that time may be missing, None when none is."""

    entries: tuple[Placed, ...]
    forgotten_ms: int | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """The entries, the oldest first; never changed, only replaced.

    ``floor``: every entry before this place is among them, however late it was written; a reader who has all of these
    may go on from there. ``read_ms``: when the reading began.
    """

    entries: tuple[Placed, ...]
    floor: str
    forgotten_ms: int | None
    read_ms: int

    def after(self, where: str, *, limit: int) -> tuple[Sequence[Placed], bool]:
        """Up to ``limit`` entries after a place, and whether there are more."""
        start = bisect_right(self.entries, where, key=_PLACE)
        return self.entries[start : start + limit], start + limit < len(self.entries)


def empty(*, floor: str, read_ms: int) -> Held:
    """What is held before anything was read."""
    return Held(entries=(), floor=floor, forgotten_ms=None, read_ms=read_ms)


def merge(
    held: Held, collected: Collected, *, floor_ms: int, oldest_ms: int, read_ms: int, limit: int = MAX_ENTRIES
) -> Held:
    """``held`` with what was read after its floor; without what is before ``oldest_ms``, or beyond ``limit``."""
    known_from = bisect_left(held.entries, held.floor, key=_PLACE)
    recent = dict(held.entries[known_from:]) | dict(collected.entries)
    entries = held.entries[:known_from] + tuple(sorted(recent.items(), key=_PLACE))
    first = bisect_left(entries, place_of(oldest_ms), key=_PLACE)
    forgotten = [held.forgotten_ms, collected.forgotten_ms]
    if len(entries) - first > limit:
        first = len(entries) - limit
        forgotten.append(time_of(entries[first - 1][0]))
    return Held(
        entries=entries[first:],
        floor=max(held.floor, place_of(floor_ms)),
        forgotten_ms=_latest(forgotten, oldest_ms=oldest_ms),
        read_ms=read_ms,
    )


def _latest(times_ms: Iterable[int | None], *, oldest_ms: int) -> int | None:
    return max((one for one in times_ms if one is not None and one >= oldest_ms), default=None)
