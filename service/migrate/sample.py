"""A dry run: what a backfill would do, without a write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.migrate.reshape import attempt_raw
from service.store.operations import Update

if TYPE_CHECKING:
    from service.migrate.reshape import Attempt
    from service.migrate.steps import Backfill
    from service.store.codec import Item
    from service.store.control import Control


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Of ``scanned`` items, ``would_change`` get a write and ``reasons`` says why others are refused, one an item."""

    scanned: int
    would_change: int
    reasons: tuple[str, ...]


async def sample(step: Backfill, control: Control, limit: int) -> Sample:
    """Read at most ``limit`` items; none when there is no table yet. Raises StoreUnavailable."""
    state = await control.describe(step.table)
    attempts: list[Attempt] = []
    start: Item | None = None
    while state is not None and len(attempts) < limit:
        size = min(step.page_items, limit - len(attempts))
        page = await control.scan(step.table, segment=0, segments=1, limit=size, start=start)
        names = [key.name for key in state.keys]
        attempts.extend(attempt_raw(step, names, raw) for raw in page.raw_items)
        start = page.next_start
        if start is None:
            break
    return Sample(
        scanned=len(attempts),
        would_change=sum(isinstance(attempted, Update) for attempted in attempts),
        reasons=tuple(attempted for attempted in attempts if isinstance(attempted, str)),
    )
