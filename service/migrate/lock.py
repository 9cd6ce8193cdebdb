"""One migrator at a time: a lock item with a lease, and a fence that grows with each holder.

Wall clocks of two machines are never compared. A holder renews by raising the item's version; who waits takes over
only after it saw one version for a whole lease on its own monotonic clock, and the holder gives up when its own clock
says that the lease has passed since its last renewal was sent. A holder that was stopped for longer (a paused process)
is held off by the fence: each write of ours is a transaction that checks it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from service.migrate.errors import LockLost
from service.store.errors import ConditionFailed, StoreUnavailable, TransactionCancelled
from service.store.operations import Check, Get, Update
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from service.kernel.clock import Clock
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.store.operations import TransactWrite

T = TypeVar("T")

LOCK_KEY = {"pk": "lock", "sk": "migrate"}
_TAKE = (
    "SET holder = :me, lease_ms = :lease,"
    " fence = if_not_exists(fence, :none) + :one, #v = if_not_exists(#v, :none) + :one"
)
_FREE = "attribute_not_exists(holder)"
_UNCHANGED = "#v = :seen"
_RENEW = "SET #v = #v + :one"
_RELEASE = "REMOVE holder SET #v = #v + :one"
_MINE = "holder = :me AND fence = :fence"
_NAMES = {"#v": "version"}
_RENEWALS_A_LEASE = 3


@dataclass(kw_only=True)
class Watch:
    """What a waiter saw last, and since when by its own clock."""

    version: int | None = None
    since_seconds: float = 0.0

    def expired(self, item: Item, now_seconds: float) -> bool:
        """Whether ``item`` has had one version for its holder's whole lease."""
        version, lease_ms = item["version"], item["lease_ms"]
        if not isinstance(version, int) or not isinstance(lease_ms, int):
            raise LockLost("the lock item is damaged")
        if version != self.version:
            self.version, self.since_seconds = version, now_seconds
        return now_seconds - self.since_seconds >= lease_ms / 1000


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The lock of a deployment. ``me`` is unique for each run."""

    dynamo: Dynamo
    clock: Clock
    me: str
    lease_seconds: float

    async def attempt(self, watch: Watch) -> Held | str:
        """The lock, or the name of who holds it. Raises StoreUnavailable."""
        item = await self.dynamo.get(Get(table=Table.META, key=LOCK_KEY))
        if item is None or "holder" not in item:
            return await self._take(_FREE, {})
        if watch.expired(item, self.clock.monotonic_seconds()):
            return await self._take(_UNCHANGED, {":seen": item["version"]})
        return str(item["holder"])

    async def _take(self, condition: str, values: dict[str, Value]) -> Held | str:
        sent_seconds = self.clock.monotonic_seconds()
        lease_ms = round(self.lease_seconds * 1000)
        common: dict[str, Value] = {":me": self.me, ":lease": lease_ms, ":none": 0, ":one": 1}
        try:
            item = await self.dynamo.write(
                Update(
                    table=Table.META,
                    key=LOCK_KEY,
                    update=_TAKE,
                    condition=condition,
                    values={**common, **values},
                    names=_NAMES,
                )
            )
        except ConditionFailed as refused:
            item = refused.item
            # Ours already: the answer to a first attempt was lost, and the SDK sent it again.
            if item is None or item.get("holder") != self.me:
                return str((item or {}).get("holder", ""))
        fence = (item or {})["fence"]
        if not isinstance(fence, int):
            raise LockLost("the lock item is damaged")
        return Held(lock=self, fence=fence, renewed_seconds=sent_seconds)


@dataclass(kw_only=True)
class Held:
    """The lock while we hold it; the only way to write to the ledger."""

    lock: Lock
    fence: int
    renewed_seconds: float
    # The check of the fence takes part in each transaction, so that two at once would refuse each other.
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def confirm(self) -> None:
        """Raise LockLost when the lease has passed by our own clock."""
        if self.lock.clock.monotonic_seconds() - self.renewed_seconds >= self.lock.lease_seconds:
            raise LockLost("the lease could not be renewed in time; another process may go on")

    async def write(self, *actions: TransactWrite) -> None:
        """Write all of it, only while the lock is ours. Raises LockLost, TransactionCancelled, StoreUnavailable.

        Reasons of a TransactionCancelled are counted from 1; 0 is the lock.
        """
        async with self._turn:
            self.confirm()
            check = Check(table=Table.META, key=LOCK_KEY, condition=_MINE, values=self._mine())
            try:
                await self.lock.dynamo.transact([check, *actions])
            except TransactionCancelled as cancelled:
                if cancelled.refused(0):
                    raise LockLost("another process has taken the lock") from cancelled
                raise

    async def keep_while(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` answers; the lease is renewed meanwhile, and work is cancelled when that fails (LockLost)."""
        job, heart = asyncio.create_task(work), asyncio.create_task(self._beat())
        try:
            await asyncio.wait({job, heart}, return_when=asyncio.FIRST_COMPLETED)
            return job.result() if job.done() else heart.result()
        finally:
            job.cancel()
            heart.cancel()
            await asyncio.gather(job, heart, return_exceptions=True)

    async def release(self) -> None:
        """Let the next one in at once. A lock that was taken from us stays where it is. Raises StoreUnavailable."""
        try:
            await self._touch(_RELEASE)
        except LockLost:
            return

    async def _beat(self) -> Any:
        while True:
            await self.lock.clock.sleep(self.lock.lease_seconds / _RENEWALS_A_LEASE)
            sent_seconds = self.lock.clock.monotonic_seconds()
            try:
                async with self._turn:
                    await self._touch(_RENEW)
            except StoreUnavailable:
                self.confirm()
            else:
                self.renewed_seconds = sent_seconds

    async def _touch(self, update: str) -> None:
        values = {**self._mine(), ":one": 1}
        try:
            await self.lock.dynamo.write(
                Update(table=Table.META, key=LOCK_KEY, update=update, condition=_MINE, values=values, names=_NAMES)
            )
        except ConditionFailed as refused:
            raise LockLost("another process has taken the lock") from refused

    def _mine(self) -> dict[str, Value]:
        return {":me": self.lock.me, ":fence": self.fence}
