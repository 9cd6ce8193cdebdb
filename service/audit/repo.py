"""Events in DynamoDB: written once and never changed, read newest first."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit import items
from service.store.errors import ConditionFailed
from service.store.operations import Put, Query
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from service.audit.entry import Entry, KeptEvent
    from service.kernel.ids import UserId
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo

_IS_FREE = "attribute_not_exists(pk)"
_OF_PARTITION = "pk = :pk"
_FEED_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Some events of a user, the newest first, and where the next page starts."""

    events: tuple[KeptEvent, ...]
    next_start: Item | None


def puts(entry: Entry, *, retention_seconds: int) -> list[Put]:
    """The writes of ``entry``: by condition, what stands there is never written over."""
    return [
        Put(table=Table.AUDIT, item=item, condition=_IS_FREE)
        for item in items.to_items(entry, retention_seconds=retention_seconds)
    ]


@dataclass(frozen=True, kw_only=True)
class EventRepo:
    """The audit table."""

    dynamo: Dynamo

    async def append(self, put: Put) -> bool:
        """Write one event's item. False when another event has its key, which is left as it was.

        Repeating a write whose answer was lost changes nothing and is True. Raises StoreUnavailable.
        """
        try:
            await self.dynamo.write(put)
        except ConditionFailed as refusal:
            written = {name: value for name, value in put.item.items() if value is not None}
            return refusal.item == written
        return True

    async def page(self, user_id: UserId, *, limit: int, start: Item | None, now_ms: int) -> EventPage:
        """A user's events, the newest first. A page may be short: those past their retention are left out."""
        values: dict[str, Value] = {":pk": items.user_partition(user_id)}
        found = await self.dynamo.query(
            Query(table=Table.AUDIT, condition=_OF_PARTITION, values=values, limit=limit, start=start, forward=False)
        )
        return EventPage(
            events=tuple(items.from_item(item) for item in found.items if items.is_kept(item, now_ms=now_ms)),
            next_start=found.next_start,
        )

    async def feed(self, day: str, *, now_ms: int, of_nobody: bool = False) -> AsyncIterator[KeptEvent]:
        """The feed of one day (``yyyymmdd``, UTC), the oldest first, from all its shards; a page of each at a time.

        ``of_nobody``: what happened to no account instead. Raises StoreUnavailable.
        """
        partition = items.nobodys_partition if of_nobody else items.feed_partition
        shards = [self._events_of(partition(day, shard), now_ms=now_ms) for shard in range(items.FEED_SHARDS)]
        heads = await asyncio.gather(*(anext(events, None) for events in shards))
        waiting = [(event.event_id, shard, event) for shard, event in enumerate(heads) if event is not None]
        heapq.heapify(waiting)
        while waiting:
            _, shard, event = waiting[0]
            yield event
            following = await anext(shards[shard], None)
            if following is None:
                heapq.heappop(waiting)
            else:
                heapq.heapreplace(waiting, (following.event_id, shard, following))

    async def _events_of(self, partition: str, *, now_ms: int) -> AsyncGenerator[KeptEvent]:
        start: Item | None = None
        while True:
            page = await self.dynamo.query(
                Query(
                    table=Table.AUDIT, condition=_OF_PARTITION, values={":pk": partition}, limit=_FEED_PAGE, start=start
                )
            )
            for item in page.items:
                if items.is_kept(item, now_ms=now_ms):
                    yield items.from_item(item)
            start = page.next_start
            if start is None:
                return
