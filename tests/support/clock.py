"""A clock for tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

EPOCH_MS = 1_800_000_000_000


@dataclass
class ManualClock:
    """Stands still until it is told to move; ``sleep`` moves nothing and yields once, so that loops go on."""

    ms: int = EPOCH_MS
    slept: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.ms

    def monotonic_seconds(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def advance(self, *, seconds: float) -> None:
        self.ms += round(seconds * 1000)
