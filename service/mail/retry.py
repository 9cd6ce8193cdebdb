"""How often a mail is tried, and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a mail is tried, and how long to wait in between.

    A try that may have sent the mail counts as ``uncertain_counts`` tries, and ``uncertain_delay_seconds`` pass at
    least before the next: a mail whose every answer is lost leaves four times at most, in about 40 minutes.
    """

    attempts: int = 12
    first_delay_seconds: float = 15.0
    longest_delay_seconds: float = 3600.0
    uncertain_counts: int = 3
    uncertain_delay_seconds: float = 600.0

    def counts(self, *, uncertain: bool) -> int:
        """How many tries a failed one counts as."""
        return self.uncertain_counts if uncertain else 1

    def delay_seconds(self, *, failures: int, chance: bytes, uncertain: bool = False) -> float:
        """Doubles with each failure, up to the longest; ``chance`` picks a point in its upper half."""
        # The exponent is bounded too: an int of more than 1024 bits is no float.
        ceiling = min(self.longest_delay_seconds, self.first_delay_seconds * (1 << min(failures - 1, 60)))
        share = int.from_bytes(chance) / (1 << 8 * len(chance))
        usual = ceiling * (1 + share) / 2
        return max(usual, self.uncertain_delay_seconds) if uncertain else usual
