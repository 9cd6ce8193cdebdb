"""Brings the items of a table to a new version: parallel segments, a checkpoint after each page, a bounded pace.

Each item's write is conditional, so that stopping anywhere and starting again is safe: pause is stop, resume is run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from service.migrate.checkpoints import Poison, Progress
from service.migrate.events import BackfillMoved
from service.migrate.reshape import attempt, attempt_raw
from service.migrate.together import together
from service.store.codec import decode_item
from service.store.errors import ConditionFailed
from service.store.operations import Get
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.migrate.checkpoints import Checkpoints
    from service.migrate.events import Listener
    from service.migrate.lock import Held
    from service.migrate.pace import Pace
    from service.migrate.reshape import Attempt
    from service.migrate.steps import Backfill
    from service.store.codec import Item
    from service.store.control import Control
    from service.store.dynamo import Dynamo

_CONTENDED_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class BackfillResult:
    """``scanned`` and ``changed`` count all runs; ``poisoned`` what is refused still."""

    scanned: int
    changed: int
    poisoned: int


@dataclass(frozen=True, kw_only=True)
class BackfillRun:
    """One backfill of one migration. ``dynamo`` is metered by ``pace``."""

    step: Backfill
    migration: str
    key_names: tuple[str, ...]
    expected_items: int
    control: Control
    dynamo: Dynamo
    checkpoints: Checkpoints
    pace: Pace
    held: Held
    listener: Listener

    async def run(self) -> BackfillResult:
        """Work until every segment is at its end. Raises LockLost, StoreUnavailable."""
        segments = await self.checkpoints.load(self.step.segments)
        await self._retry_poison()
        await together([self._segment(segments, progress.segment) for progress in segments if not progress.finished])
        return BackfillResult(
            scanned=sum(progress.scanned for progress in segments),
            changed=sum(progress.changed for progress in segments),
            poisoned=len(await self.checkpoints.poisoned()),
        )

    async def _segment(self, segments: list[Progress], index: int) -> None:
        while not segments[index].finished:
            progress = segments[index]
            self.held.confirm()
            await self.pace.wait()
            page = await self.control.scan(
                self.step.table,
                segment=index,
                segments=self.step.segments,
                limit=self.step.page_items,
                start=progress.start,
            )
            self.pace.spend(page.units)
            results = [await self._raw_item(raw) for raw in page.raw_items]
            progress = replace(
                progress,
                start=page.next_start,
                finished=page.next_start is None,
                scanned=progress.scanned + len(page.raw_items),
                changed=progress.changed + results.count(True),
            )
            poison = [result for result in results if isinstance(result, Poison)]
            await self.checkpoints.save(progress, poison, self.held)
            segments[index] = progress
            self._tell(segments)

    async def _raw_item(self, raw: Mapping[str, Any]) -> bool | Poison:
        key = decode_item({name: raw[name] for name in self.key_names})
        return await self._settle(key, attempt_raw(self.step, self.key_names, raw))

    async def _settle(self, key: Item, attempted: Attempt) -> bool | Poison:
        """Whether the item was changed, or why it cannot be. Where a live writer was faster, its item is tried."""
        for _ in range(_CONTENDED_ATTEMPTS):
            if isinstance(attempted, str):
                return Poison(key=key, reason=attempted)
            if attempted is None:
                return False
            await self.pace.wait()
            self.held.confirm()
            try:
                await self.dynamo.write(attempted)
            except ConditionFailed as refused:
                if refused.item is None:
                    return False
                attempted = attempt(self.step, self.key_names, refused.item)
            else:
                return True
        return Poison(key=key, reason="changed by live writers at every attempt")

    async def _retry_poison(self) -> None:
        """An item that was mended by hand, or is gone, leaves the list."""
        for entry in await self.checkpoints.poisoned():
            try:
                item = await self.dynamo.get(Get(table=Table(self.step.table), key=entry.key))
            except (TypeError, ValueError):
                continue
            attempted = None if item is None else attempt(self.step, self.key_names, item)
            if not isinstance(await self._settle(entry.key, attempted), Poison):
                await self.checkpoints.forgive(entry, self.held)

    def _tell(self, segments: list[Progress]) -> None:
        self.listener(
            BackfillMoved(
                migration=self.migration,
                table=self.step.table,
                scanned=sum(progress.scanned for progress in segments),
                changed=sum(progress.changed for progress in segments),
                expected_items=self.expected_items,
            )
        )
