"""When to poll the revocation feed, and how long what was heard is good: pure rules, given the moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyturn.key_state import Moment
    from keyturn.revocation_statement import Statement

FETCH_SECONDS: Final = 5.0
LEEWAY_SECONDS: Final = 30
"""How far the issuer's clock may be behind ours before its statements count as old."""

_LONGEST_PAUSE_SECONDS: Final = 30.0
_MOST_DOUBLINGS: Final = 6
_LATE_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedBounds:
    """How often and how long.

    A revocation is known after ``poll_seconds``, the second that the issuer keeps its reading, and the request; while
    polls fail, after ``max_stale_seconds`` nothing is.

    Raises:
        ValueError: a bound is out of range, or a single failed poll would already make everything unknown.
    """

    poll_seconds: float
    max_stale_seconds: float
    fetch_seconds: float = FETCH_SECONDS

    def __post_init__(self) -> None:
        if not 0 < self.poll_seconds <= self.max_stale_seconds / 2:
            raise ValueError("poll_seconds is not above zero, or more than half of max_stale_seconds")

    def pause_seconds(self, *, failures: int, chance: float) -> float:
        """How long until the next poll: the interval, doubled with each failure up to a bound, and never in step.

        ``chance`` (0 to 1) takes off up to a fifth, so that guards that were started together do not stay together.
        """
        longest = max(self.poll_seconds, _LONGEST_PAUSE_SECONDS)
        pause = self.poll_seconds * (1 << min(max(0, failures - 1), _MOST_DOUBLINGS))
        return min(pause, longest) * (1 - chance / 5)

    def earliest(self, now: Moment) -> int:
        """Before this (seconds since the epoch) a statement is too old, whoever kept it back."""
        return int(now.wall_ms / 1000 - self.max_stale_seconds - LEEWAY_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """Since when everything is known, and how the last poll went; ``failures`` counts those since the last good one."""

    complete_since: Moment | None = None
    tried: Moment | None = None
    failures: int = 0

    def after_failure(self, *, ended: Moment) -> Sight:
        """After a poll that failed: as much is known as before."""
        return replace(self, tried=ended, failures=self.failures + 1)

    def is_clear(self, now: Moment, *, bounds: FeedBounds) -> bool:
        """Whether what is known is young enough to answer with."""
        return self.complete_since is not None and now.since(self.complete_since) < bounds.max_stale_seconds

    def is_due(self, now: Moment, *, bounds: FeedBounds) -> bool:
        """Whether a poll should have happened: the thread stood still, or is a parent's that was not forked."""
        return self.complete_since is None or now.since(self.complete_since) > bounds.poll_seconds + _LATE_SECONDS

    def is_worth_waiting(self) -> bool:
        """Whether a poll may well succeed. While the issuer is known to be away nobody waits for it."""
        return self.failures == 0

    def may_try(self, now: Moment, *, bounds: FeedBounds) -> bool:
        """Whether the last poll is long enough ago for one that a request asks for."""
        return self.tried is None or now.since(self.tried) >= bounds.poll_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the feed was read.

    ``cursor`` is what to ask next, empty for everything; ``etag`` names what was told last, and an answer that would
    tell the same is 304. ``began`` is when the first page of a chain was asked for: when its last one has come,
    everything until then is known. ``signed`` is when the last signed answer was asked for: a 304 carries no signature,
    and is believed only so long.
    """

    cursor: str = ""
    etag: str = ""
    began: Moment | None = None
    complete_since: Moment | None = None
    signed: Moment | None = None

    def after_page(self, statement: Statement, *, etag: str, now: Moment) -> Progress:
        """After a statement that was asked for at ``now``."""
        began = self.began or now
        if statement.more:
            return Progress(cursor=statement.following, began=began)
        return Progress(cursor=statement.following, etag=etag, complete_since=began, signed=now)

    def unchanged(self, now: Moment) -> Progress:
        """After the word that nothing is new."""
        return replace(self, complete_since=now)

    def needs_signature(self, now: Moment, *, bounds: FeedBounds) -> bool:
        """Whether the answer must be signed, though nothing may be new."""
        return self.signed is None or now.since(self.signed) >= bounds.max_stale_seconds / 2
