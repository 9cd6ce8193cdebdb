"""Keeps a backfill within a number of capacity units a second, so that it leaves the table to its users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.store.dynamo import Meter


@dataclass(kw_only=True)
class Pace:
    """A debt of units that is paid by waiting; shared by all segments of a backfill."""

    clock: Clock
    units_per_second: float
    free_at_seconds: float = 0.0

    def spend(self, units: float) -> None:
        """Note units that were consumed."""
        now_seconds = self.clock.monotonic_seconds()
        self.free_at_seconds = max(self.free_at_seconds, now_seconds) + units / self.units_per_second

    async def wait(self) -> None:
        """Return when what was spent is paid for."""
        while (debt_seconds := self.free_at_seconds - self.clock.monotonic_seconds()) > 0:
            await self.clock.sleep(debt_seconds)


@dataclass(frozen=True, kw_only=True)
class PacedMeter:
    """Tells the pace what each call of the data plane consumed, and the meter that was there before as well."""

    meter: Meter
    pace: Pace

    def record(self, *, operation: str, table: str, seconds: float, units: float, failed: bool) -> None:
        """One call that ended."""
        self.pace.spend(units)
        self.meter.record(operation=operation, table=table, seconds=seconds, units=units, failed=failed)
