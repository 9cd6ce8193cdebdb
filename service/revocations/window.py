"""Reads the feed, once for all who ask within the cache's time: a thousand pollers cost what one does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.revocations.held import MAX_ENTRIES, Collected, Held, empty, merge
from service.revocations.items import place_of, time_of
from service.revocations.model import SHARDS

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.revocations.items import Placed
    from service.revocations.model import FeedLife
    from service.revocations.repo import RevocationRepo
    from service.store.codec import Item


@dataclass(kw_only=True)
class Window:
    """The feed of the last access-token life as this process knows it; all of it can be read again at any moment.

    A reading asks only for what may have come since the one before: from where its sight was complete. That lies
    ``FeedLife.late_ms`` behind it, so that an entry is seen whose writer's clock is slow, or whose write took long.
    """

    repo: RevocationRepo
    life: FeedLife
    clock: Clock
    cache_seconds: float
    max_entries: int = MAX_ENTRIES
    _held: Held | None = field(default=None, init=False)
    _began_seconds: float = field(default=0.0, init=False)
    _reading: asyncio.Task[Held] | None = field(default=None, init=False)

    async def read(self) -> Held:
        """The feed, read at most ``cache_seconds`` ago. Raises StoreUnavailable."""
        if self._held is not None and self.clock.monotonic_seconds() - self._began_seconds < self.cache_seconds:
            return self._held
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # Whoever waited for it may have gone; its failure then concerns nobody.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._reading)

    async def aclose(self) -> None:
        """Wait for a reading that is under way, so that none outlives the store's client."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def _read(self) -> Held:
        # Its age counts from before the reading: what is written meanwhile may be missing.
        began_seconds, read_ms = self.clock.monotonic_seconds(), self.clock.now_ms()
        oldest_ms = self.life.oldest_ms(read_ms)
        held = self._held
        if held is None or held.floor < place_of(oldest_ms):
            held = empty(floor=place_of(oldest_ms), read_ms=read_ms)
        collected = await self._collect(held.floor, read_ms)
        self._held = merge(
            held,
            collected,
            floor_ms=self.life.floor_ms(read_ms),
            oldest_ms=oldest_ms,
            read_ms=read_ms,
            limit=self.max_entries,
        )
        self._began_seconds = began_seconds
        return self._held

    async def _collect(self, after: str, read_ms: int) -> Collected:
        buckets = self.life.buckets(time_of(after), read_ms)
        shards = await asyncio.gather(*(self._shard(shard, after, buckets) for shard in range(SHARDS)))
        forgotten = [one.forgotten_ms for one in shards if one.forgotten_ms is not None]
        return Collected(
            entries=tuple(entry for one in shards for entry in one.entries), forgotten_ms=max(forgotten, default=None)
        )

    async def _shard(self, shard: int, after: str, buckets: range) -> Collected:
        """The newest first, and no more than could be held: after a flood the first reading must end as well."""
        found: list[Placed] = []
        for bucket in reversed(buckets):
            start: Item | None = None
            while True:
                page = await self.repo.page(bucket, shard, after=after, start=start)
                found += page.entries
                if len(found) > self.max_entries:
                    return Collected(entries=tuple(found), forgotten_ms=time_of(found[-1][0]))
                start = page.next_start
                if start is None:
                    break
        return Collected(entries=tuple(found), forgotten_ms=None)
