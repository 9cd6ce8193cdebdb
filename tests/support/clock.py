"""A clock for tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

EPOCH_MS = 1_800_000_000_000
PATIENCE_SECONDS = 5.0
"""What sleeps longer is a background task, and waits until the clock is moved; shorter sleeps are pauses of a retry."""


@dataclass
class ManualClock:
    """Stands still until it is told to move; a short ``sleep`` moves nothing and yields once, so that retries go on."""

    ms: int = EPOCH_MS
    slept: list[float] = field(default_factory=list)
    _sleepers: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list, repr=False)

    def now_ms(self) -> int:
        return self.ms

    def monotonic_seconds(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds < PATIENCE_SECONDS:
            await asyncio.sleep(0)
            return
        waking = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.ms + round(seconds * 1000), waking))
        await waking

    def advance(self, *, seconds: float) -> None:
        self.ms += round(seconds * 1000)
        for due_ms, waking in self._sleepers:
            if due_ms <= self.ms and not waking.done() and not waking.get_loop().is_closed():
                waking.set_result(None)
        self._sleepers = [(due_ms, waking) for due_ms, waking in self._sleepers if not waking.done()]


@dataclass
class UnsteadyClock(ManualClock):
    """A clock that somebody sets: its wall time jumps, and what measures durations goes on."""

    wrong_by_ms: int = 0

    def now_ms(self) -> int:
        return self.ms + self.wrong_by_ms

    def set_by(self, seconds: float) -> None:
        """Set it ahead, or back."""
        self.wrong_by_ms += round(seconds * 1000)

    def set_right(self) -> None:
        self.wrong_by_ms = 0
