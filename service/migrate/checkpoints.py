"""How far a backfill has come: a checkpoint a segment, and the items that its function refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.migrate.ledger import partition
from service.store.operations import Delete, Put
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.migrate.lock import Held
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.store.operations import TransactWrite


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One segment: where its next page starts, and what was done before."""

    segment: int
    start: Item | None = None
    finished: bool = False
    scanned: int = 0
    changed: int = 0


@dataclass(frozen=True, kw_only=True)
class Poison:
    """An item that stays as it was: its key and why. Never the item, never the error's message: it may quote data."""

    key: Item
    reason: str


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The checkpoints of one backfill. ``run`` holds the file's digest: one that was mended starts anew."""

    dynamo: Dynamo
    run: str

    async def load(self, segments: int) -> list[Progress]:
        """The progress of every segment. Raises StoreUnavailable."""
        items = await partition(self.dynamo, f"checkpoint#{self.run}")
        saved = {progress.segment: progress for progress in map(_progress, items)}
        return [saved.get(segment, Progress(segment=segment)) for segment in range(segments)]

    async def poisoned(self) -> list[Poison]:
        """The items refused so far. Raises StoreUnavailable."""
        items: list[Any] = await partition(self.dynamo, f"poison#{self.run}")
        return [Poison(key=item["key"], reason=item["reason"]) for item in items]

    async def save(self, progress: Progress, poison: Sequence[Poison], held: Held) -> None:
        """Record poison first, then the checkpoint: a crash between the two repeats a page and loses nothing.

        Raises LockLost, StoreUnavailable.
        """
        for entry in poison:
            await held.write(self._put(f"poison#{self.run}", _digest(entry.key), key=entry.key, reason=entry.reason))
        await held.write(
            self._put(
                f"checkpoint#{self.run}",
                f"{progress.segment:06d}",
                start=progress.start,
                finished=progress.finished,
                scanned=progress.scanned,
                changed=progress.changed,
            )
        )

    async def forgive(self, entry: Poison, held: Held) -> None:
        """Take an item off the list. Raises LockLost, StoreUnavailable."""
        key = {"pk": f"poison#{self.run}", "sk": _digest(entry.key)}
        await held.write(Delete(table=Table.META, key=key))

    def _put(self, pk: str, sk: str, **attributes: Value | None) -> TransactWrite:
        return Put(table=Table.META, item={"pk": pk, "sk": sk, **attributes})


def _progress(item: Any) -> Progress:
    return Progress(
        segment=int(item["sk"]),
        start=item.get("start"),
        finished=item["finished"],
        scanned=item["scanned"],
        changed=item["changed"],
    )


def _digest(key: Item) -> str:
    canonical = json.dumps(sorted((name, repr(value)) for name, value in key.items()))
    return hashlib.sha256(canonical.encode()).hexdigest()
