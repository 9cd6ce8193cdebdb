"""What was ended, how long anybody must remember it, and where it is kept. Pure: no store, no clock, no chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId

SHARDS = 4
"""Partitions that the writes of one moment are spread over: each takes 1,000 a second."""
BUCKET_SECONDS = 600
"""How long one set of partitions is written to. Neither number may change while processes of two releases run."""

_MAX_LEEWAY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class SessionEnded:
    """Every access token of the session is dead, whenever it was issued. ``at_ms``: when that was written down."""

    session_id: SessionId
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class UserEnded:
    """Every access token of the user whose ``epoch`` is below this one is dead, but those of the session ``kept``."""

    user_id: UserId
    epoch: int
    kept: SessionId | None
    at_ms: int


Entry = SessionEnded | UserEnded


@dataclass(frozen=True, kw_only=True)
class FeedLife:
    """How long an entry matters, and how late it may appear.

    ``access_seconds`` is the life of an access token, ``skew_seconds`` how far clocks may be apart, ``flight_seconds``
    the longest that a store call with its retries is under way.
    """

    access_seconds: int
    skew_seconds: int
    flight_seconds: int

    @property
    def settle_seconds(self) -> int:
        """How long after an entry's time the life of a token may begin that it ends.

        A token's life begins before its session and user are read, and those were read before the end was written: the
        entry was one call, the end is another, and clocks are apart.
        """
        return 2 * (self.flight_seconds + self.skew_seconds)

    @property
    def retain_seconds(self) -> int:
        """How long after an entry's time a guard may meet such a token: until the last one has expired everywhere."""
        return self.settle_seconds + self.access_seconds + _MAX_LEEWAY_SECONDS

    @property
    def late_ms(self) -> int:
        """How far behind a reader's clock an entry's time may lie when the entry becomes visible: D + 2d."""
        return (self.flight_seconds + 2 * self.skew_seconds) * 1000

    def floor_ms(self, read_ms: int) -> int:
        """Up to here a reading that began at ``read_ms`` has everything; later entries may yet come."""
        return read_ms - self.late_ms

    def oldest_ms(self, now_ms: int) -> int:
        """What is older concerns no token that lives."""
        return now_ms - self.retain_seconds * 1000

    def buckets(self, from_ms: int, now_ms: int) -> range:
        """The buckets that may hold entries after ``from_ms``: a writer's clock may be ahead of ours."""
        return range(bucket_of(from_ms), bucket_of(now_ms + 2 * self.skew_seconds * 1000) + 1)


def bucket_of(at_ms: int) -> int:
    """The bucket of a time."""
    return at_ms // (BUCKET_SECONDS * 1000)
