"""Entries to reason about, and a table in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from service.kernel.ids import SessionId, UserId
from service.revocations.items import partition, place, to_item
from service.revocations.model import FeedLife, SessionEnded, UserEnded
from service.revocations.repo import FeedPage
from service.store.errors import StoreUnavailable
from tests.support.clock import EPOCH_MS, ManualClock

NOW_MS = EPOCH_MS
LIFE = FeedLife(access_seconds=300, skew_seconds=2, flight_seconds=10)


def session_ended(number, *, at_ms=NOW_MS):
    return SessionEnded(session_id=SessionId(number.to_bytes(16)), at_ms=at_ms)


def user_ended(number, *, epoch=1, kept=None, at_ms=NOW_MS):
    return UserEnded(user_id=UserId(number.to_bytes(16)), epoch=epoch, kept=kept, at_ms=at_ms)


def placed(entry):
    """``entry`` as a reader has it."""
    return place(entry), getattr(entry, "kept", None)


@dataclass
class MemoryFeed:
    """The revocations table, read in pages of ``page_size``.

    ``away`` refuses every call, ``gate`` holds them back, ``reached`` is set by the first.
    """

    page_size: int = 1000
    away: bool = False
    gate: asyncio.Event | None = None
    entries: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, *entries):
        self.entries += entries

    async def page(self, bucket, shard, *, after, start):
        self.asked.append((bucket, shard, after))
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        here = sorted(
            (entry for entry in self.entries if to_item(entry, retain_seconds=1)["pk"] == partition(bucket, shard)),
            key=place,
            reverse=True,
        )
        found = [one for one in here if place(one) > after and (start is None or place(one) < start["sk"])]
        page = found[: self.page_size]
        more = len(found) > self.page_size
        return FeedPage(entries=tuple(map(placed, page)), next_start={"sk": place(page[-1])} if more else None)


@pytest.fixture
def clock():
    return ManualClock(ms=NOW_MS)


@pytest.fixture
def feed_table():
    return MemoryFeed()
