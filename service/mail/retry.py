"""How often a mail is tried, and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a mail is tried, and how long to wait in between."""

    attempts: int = 12
    first_delay_seconds: float = 15.0
    longest_delay_seconds: float = 3600.0

    def delay_seconds(self, *, failures: int, chance: bytes) -> float:
        """Doubles with each failure, up to the longest; ``chance`` picks a point in its upper half."""
        # The exponent is bounded too: an int of more than 1024 bits is no float.
        ceiling = min(self.longest_delay_seconds, self.first_delay_seconds * (1 << min(failures - 1, 60)))
        share = int.from_bytes(chance) / (1 << 8 * len(chance))
        return ceiling * (1 + share) / 2
