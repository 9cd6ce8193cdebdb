"""How long and how large: the bounds of fetching keys. Every one is a promise that a test holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

MAX_FETCH_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """The bounds of one verifier's key set. Seconds are real time; an issuer's ``max-age`` is honoured between two.

    A key that the issuer drops is refused after at most ``max_fresh_seconds + fetch_seconds`` while the issuer
    answers, and after ``max_stale_seconds`` at the latest.

    Raises:
        ValueError: a bound is not above zero or not finite, or two contradict each other.
    """

    min_fresh_seconds: float = 30
    """A key set is used for at least so long before it is fetched again in the ordinary way, whatever ``max-age``."""
    default_fresh_seconds: float = 300
    """How long, where the issuer does not say."""
    max_fresh_seconds: float = 600
    """And at most so long."""
    max_stale_seconds: float = 3600
    """How long after the last good answer tokens of known keys are accepted while the issuer is away; then 503."""
    refetch_seconds: float = 2
    """An unknown ``kid`` fetches again at most so often in the long run; an issuer that is away is asked as often."""
    fetch_seconds: float = 5
    """How long one fetch, metadata and key set together, may take; a request never waits longer for keys.

    The first in a process may wait as long once more for httpx and PyJWT to be imported, before the fetch begins.
    """
    max_response_bytes: int = 256 * 1024
    """How large an answer may be."""

    def __post_init__(self) -> None:
        ascending = (
            self.min_fresh_seconds <= self.default_fresh_seconds <= self.max_fresh_seconds <= self.max_stale_seconds
        )
        single = (self.min_fresh_seconds, self.refetch_seconds, self.fetch_seconds, self.max_response_bytes)
        # Compared so that a bound which is no number is refused as well.
        sound = all(bound > 0 for bound in single) and self.fetch_seconds <= MAX_FETCH_SECONDS
        if not (ascending and sound and isfinite(self.max_stale_seconds) and isfinite(self.refetch_seconds)):
            raise ValueError("a bound is not above zero, or the bounds contradict each other")
