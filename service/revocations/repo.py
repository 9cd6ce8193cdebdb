"""The feed in DynamoDB: entries are put and never changed, and read from the newest of a partition back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.revocations import items
from service.store.operations import Put, Query
from service.store.table import Table

if TYPE_CHECKING:
    from service.revocations.items import Placed
    from service.revocations.model import Entry
    from service.store.codec import Item
    from service.store.dynamo import Dynamo

_AFTER = "pk = :pk AND sk > :after"
_PAGE = 1000


def put_entry(entry: Entry, *, retain_seconds: int) -> Put:
    """The action that writes ``entry``: alone, or in the transaction of what it tells of.

    Without a condition: its place is its own, and writing it again changes nothing.
    """
    return Put(table=Table.REVOCATIONS, item=items.to_item(entry, retain_seconds=retain_seconds))


@dataclass(frozen=True, kw_only=True)
class FeedPage:
    """Some entries of a partition, the newest first, and where the next page starts."""

    entries: tuple[Placed, ...]
    next_start: Item | None


@dataclass(frozen=True, kw_only=True)
class RevocationRepo:
    """The revocations table."""

    dynamo: Dynamo

    async def add(self, put: Put) -> None:
        """Write one entry by itself. Raises StoreUnavailable."""
        await self.dynamo.write(put)

    async def page(self, bucket: int, shard: int, *, after: str, start: Item | None) -> FeedPage:
        """Entries of a partition whose place is after ``after``."""
        found = await self.dynamo.query(
            Query(
                table=Table.REVOCATIONS,
                condition=_AFTER,
                values={":pk": items.partition(bucket, shard), ":after": after},
                limit=_PAGE,
                start=start,
                forward=False,
            )
        )
        return FeedPage(entries=tuple(map(items.from_item, found.items)), next_start=found.next_start)
