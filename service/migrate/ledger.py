"""The ledger: which migrations were applied, each with the digest of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.migrate.errors import LedgerMismatch
from service.migrate.plan import Record
from service.store.errors import TransactionCancelled
from service.store.operations import Put, Query
from service.store.table import Table
from service.store.table_state import KeyAttribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.migrate.lock import Held
    from service.store.codec import Item, Value
    from service.store.control import Control
    from service.store.dynamo import Dynamo

# The ledger cannot be created by a migration; the first one declares the same table, which a test compares.
META_KEYS = (KeyAttribute("pk", "S"), KeyAttribute("sk", "S"))
_PARTITION = "migration"
_PAGE_ITEMS = 100


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Reads and writes the records in the meta table."""

    control: Control
    dynamo: Dynamo

    async def bootstrap(self) -> None:
        """Create the meta table unless it is there. Raises StoreUnavailable."""
        if await self.control.describe(Table.META) is None:
            await self.control.create(Table.META, META_KEYS, protected=True, kms_key_id=None)
        await self.control.wait_until_active(Table.META)

    async def records(self) -> tuple[Record, ...]:
        """All records in order; none when the meta table is not there yet. Raises StoreUnavailable."""
        if await self.control.describe(Table.META) is None:
            return ()
        return tuple(_record(item) for item in await partition(self.dynamo, _PARTITION))

    async def append(self, record: Record, held: Held) -> None:
        """Write a record once. Raises LockLost, LedgerMismatch, StoreUnavailable."""
        put = Put(table=Table.META, item=_item(record), condition="attribute_not_exists(pk)")
        try:
            await held.write(put)
        except TransactionCancelled as cancelled:
            if cancelled.refused(1):
                raise LedgerMismatch(f"{record.name} was recorded by another process meanwhile") from cancelled
            raise


async def partition(dynamo: Dynamo, pk: str) -> list[Item]:
    """All items of a partition of the meta table, in order."""
    items: list[Item] = []
    start: Mapping[str, Value] | None = None
    while True:
        page = await dynamo.query(
            Query(table=Table.META, condition="pk = :pk", values={":pk": pk}, limit=_PAGE_ITEMS, start=start)
        )
        items.extend(page.items)
        if page.next_start is None:
            return items
        start = page.next_start


def _item(record: Record) -> dict[str, Value]:
    return {
        "pk": _PARTITION,
        "sk": f"{record.number:04d}",
        "name": record.name,
        "sha256": record.sha256,
        "applied_at_ms": record.applied_at_ms,
        "took_ms": record.took_ms,
        "fence": record.fence,
        "skipped": record.skipped,
        "encrypted_with": record.encrypted_with,
    }


def _record(item: Item) -> Record:
    known: dict[str, Any] = {name: value for name, value in item.items() if name not in {"pk", "sk"}}
    return Record(number=int(str(item["sk"])), **known)
