"""What is held of an issuer's keys, and what to do about a token's ``kid``: pure rules, given the moment.

The one subtle rule is whether a missing key is known to be missing. A fetch answers for a token only if it began after
the token came, or if it was made for that very ``kid``: else a key could have been published in between, and an honest
token of a key that is brand new would be refused. So all who meet one unknown ``kid`` share one fetch, and a token
that only happened to join somebody else's may ask for one more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Self

from keyturn.keys import KeySet

if TYPE_CHECKING:
    from keyturn.bounds import Bounds
    from keyturn.discovery import FetchedKeys

REFRESH_FROM: Final = 0.75
"""The part of a key set's fresh life after which it is fetched anew in the background."""

BURST: Final = 3
"""So many fruitless fetches for unknown keys may follow one another at once; then one each ``refetch_seconds``."""


MAX_MISSING: Final = 256
"""So many names that are known to be missing are remembered. Each cost a fetch, so a flood displaces few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One reading of both clocks."""

    wall_ms: int
    monotonic_seconds: float

    def since(self, earlier: Moment) -> float:
        """Seconds from ``earlier``, by the clock that says more.

        One stands still while a machine sleeps, the other can be set back, and a key must not live longer for either.
        """
        return max((self.wall_ms - earlier.wall_ms) / 1000, self.monotonic_seconds - earlier.monotonic_seconds)

    def is_before(self, other: Moment) -> bool:
        """Whether this moment came before ``other`` in this process, which the monotonic clock alone knows."""
        return self.monotonic_seconds < other.monotonic_seconds


class Step(Enum):
    """What to do about a token's ``kid``."""

    USE = auto()
    USE_AND_REFRESH = auto()
    FETCH = auto()
    """Fetch because of time: no keys yet, or too old ones."""
    LOOK_FOR_KEY = auto()
    """Fetch because of the ``kid``, if that is not done too often."""
    REFUSE_TOKEN = auto()
    CANNOT_KNOW = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """The keys of the last good fetch and when it began and ended; ``is_away`` once a fetch has failed since then.

    ``sought`` is the ``kid`` that the fetch was made for, where it was made for one; ``missing`` are those that were
    not there when one was made for them, or not any more, the latest last; ``tried`` is when the last fetch ended, good
    or not.
    """

    keys: KeySet = field(default_factory=KeySet.of)
    began: Moment | None = None
    ended: Moment | None = None
    fresh_seconds: float = 0
    sought: str | None = None
    missing: tuple[str, ...] = ()
    is_away: bool = False
    tried: Moment | None = None

    @classmethod
    def after_success(
        cls, found: FetchedKeys, *, began: Moment, ended: Moment, sought: str | None, before: Held | None = None
    ) -> Self:
        """What is held after a good answer; ``before`` was held until then."""
        known = () if before is None else (*before.missing, *before.keys)
        candidates = dict.fromkeys(known if sought is None else (*known, sought))
        return cls(
            keys=found.keys,
            began=began,
            ended=ended,
            fresh_seconds=found.fresh_seconds,
            sought=sought,
            missing=tuple(kid for kid in candidates if kid not in found.keys)[-MAX_MISSING:],
            tried=ended,
        )

    def after_failure(self, *, ended: Moment) -> Held:
        """What is held after a fetch that failed: the same, and that the issuer is away."""
        return replace(self, is_away=True, tried=ended)

    def may_try(self, now: Moment, *, bounds: Bounds) -> bool:
        """Whether the last fetch is long enough ago for another that nobody waits for."""
        return self.tried is None or now.since(self.tried) >= bounds.refetch_seconds

    def step(self, kid: str, *, arrived: Moment, now: Moment, bounds: Bounds) -> Step:
        """What to do about a token with ``kid`` that came at ``arrived``.

        While the issuer is known to be away nobody waits for it: known keys go on, the rest cannot be known.
        """
        if self.began is None or now.since(self.began) >= bounds.max_stale_seconds:
            return Step.CANNOT_KNOW if self.is_away else Step.FETCH
        age_seconds = now.since(self.began)
        if age_seconds >= self.fresh_seconds and not self.is_away and self.began.is_before(arrived):
            return Step.FETCH
        if kid in self.keys:
            return Step.USE_AND_REFRESH if age_seconds >= REFRESH_FROM * self.fresh_seconds else Step.USE
        if self._is_known_missing(kid, arrived=arrived, now=now, bounds=bounds):
            return Step.REFUSE_TOKEN
        return Step.CANNOT_KNOW if self.is_away else Step.LOOK_FOR_KEY

    def _is_known_missing(self, kid: str, *, arrived: Moment, now: Moment, bounds: Bounds) -> bool:
        if self.began is None or self.ended is None:
            return False
        was_sought = kid == self.sought and now.since(self.ended) < bounds.refetch_seconds
        return was_sought or arrived.is_before(self.began)


@dataclass(slots=True)
class Budget:
    """How many fetches for unknown keys may still be made: ``BURST`` at once, one more each ``refetch_seconds``.

    One that brings a key that was not known is given back, so an honest rotation never runs out.
    """

    refetch_seconds: float
    left: float = BURST
    counted: Moment | None = None

    def take(self, now: Moment) -> bool:
        """Use one up; False where none is left."""
        if self.counted is not None:
            self.left = min(BURST, self.left + max(0.0, now.since(self.counted)) / self.refetch_seconds)
        self.counted = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    @property
    def seconds_until_next(self) -> float:
        """How long after the last ``take`` there is one again."""
        return max(0.0, (1 - self.left) * self.refetch_seconds)

    def give_back(self) -> None:
        """The last one was not fruitless."""
        self.left = min(BURST, self.left + 1)
