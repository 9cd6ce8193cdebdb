"""Quotas in DynamoDB: one conditional update for one that is rested, a second inside a burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from service.errors import TooManyRequests
from service.store.errors import ConditionFailed, Conflict
from service.store.operations import Update
from service.store.table import Table
from service.throttle.model import Limited
from service.throttle.quota import SKEW_MS, Over, Quota, spend

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.store.dynamo import Dynamo
    from service.throttle.lanes import LaneKeys

_ATTEMPTS = 3
_START = "SET fu = :first, #ttl = :ttl"
_IS_RESTED = "attribute_not_exists(k) OR fu < :now OR fu > :deepest"
_GO_ON = "SET fu = fu + :interval, #ttl = :ttl"
_HAS_LEFT = "fu BETWEEN :now AND :latest"
_TTL = {"#ttl": "ttl"}


class Quotas(Protocol):
    """Takes one of what a quota grants to a subject."""

    async def take(self, quota: Quota, subject: str) -> None:
        """Raises TooManyRequests when nothing is left, and StoreUnavailable rather than let one through uncounted."""
        ...


class NoQuotas:
    """The twin for ``KEYTURN_THROTTLE=off``."""

    async def take(self, quota: Quota, subject: str) -> None:
        """Let everything pass."""


@dataclass(frozen=True, kw_only=True)
class StoredQuotas:
    """The item of a subject holds ``fu``, when its quota is full again (ms), and ``ttl``."""

    dynamo: Dynamo
    keys: LaneKeys
    clock: Clock

    async def take(self, quota: Quota, subject: str) -> None:
        """Raises TooManyRequests when nothing is left, and StoreUnavailable rather than let one through uncounted."""
        now_ms = self.clock.now_ms()
        key = self.keys.key("quota", quota.name, subject)
        for _ in range(_ATTEMPTS):
            full_ms = await self._refused(_start(key, quota, now_ms))
            if full_ms is None:
                return
            over = spend(full_ms, now_ms, quota)
            if isinstance(over, Over):
                wait = Limited(until_ms=over.until_ms).retry_after_seconds(now_ms)
                raise TooManyRequests(f"{quota.name} quota", retry_after_seconds=wait)
            if await self._refused(_go_on(key, quota, now_ms)) is None:
                return
        raise Conflict("quota: it was spent by others at every try")

    async def _refused(self, operation: Update) -> int | None:
        """None when it was written; otherwise the state that refused it."""
        try:
            await self.dynamo.write(operation)
        except ConditionFailed as refusal:
            return cast("int", (refusal.item or {}).get("fu", 0))
        return None


def _start(key: str, quota: Quota, now_ms: int) -> Update:
    first_ms = now_ms + quota.interval_ms
    return _update(
        key,
        _START,
        _IS_RESTED,
        {
            ":first": first_ms,
            ":now": now_ms,
            ":deepest": now_ms + quota.depth_ms + SKEW_MS,
            ":ttl": _ttl(quota, now_ms),
        },
    )


def _go_on(key: str, quota: Quota, now_ms: int) -> Update:
    return _update(
        key,
        _GO_ON,
        _HAS_LEFT,
        {
            ":interval": quota.interval_ms,
            ":now": now_ms,
            ":latest": now_ms + quota.depth_ms - quota.interval_ms,
            ":ttl": _ttl(quota, now_ms),
        },
    )


def _ttl(quota: Quota, now_ms: int) -> int:
    return (now_ms + quota.depth_ms) // 1000 + 60


def _update(key: str, update: str, condition: str, values: dict[str, int]) -> Update:
    return Update(table=Table.THROTTLE, key={"k": key}, update=update, condition=condition, values=values, names=_TTL)
