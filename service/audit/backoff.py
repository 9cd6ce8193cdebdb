"""How often an event's write is tried, and how long to wait in between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """The longest delay is below the time that a process has to drain, so that its end finds each writer trying."""

    attempts: int = 8
    first_delay_seconds: float = 0.2
    longest_delay_seconds: float = 5.0

    def delay_seconds(self, failures: int, chance: bytes) -> float:
        """Doubles with each failure, up to the longest; ``chance`` picks a point in its upper half."""
        ceiling: float = min(self.longest_delay_seconds, self.first_delay_seconds * (1 << min(failures - 1, 30)))
        return ceiling * (1 + int.from_bytes(chance) / (1 << 8 * len(chance))) / 2
