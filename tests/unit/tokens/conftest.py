"""Key records to reason about, a table of keys in memory, and rings that share it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from service.store.errors import StoreUnavailable
from service.tokens.keyring import KeyRing
from service.tokens.model import Algorithm, KeyLife, KeyRecord
from service.tokens.wrap import LocalWrapper
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LIFE = KeyLife(rotation_ms=30 * DAY_MS, publish_ahead_ms=DAY_MS, overlap_ms=HOUR_MS)
KEKS = {1: b"k" * 32, 2: b"q" * 32}


def make_record(slot, begins_ms, **changes):
    record = KeyRecord(
        algorithm=Algorithm.ES256,
        slot=slot,
        kid=f"kid-{slot}",
        begins_ms=begins_ms,
        created_ms=begins_ms,
        wrapped=b"wrapped",
        public_jwk={},
    )
    return replace(record, **changes)


@dataclass
class MemoryKeys:
    """The keys table: the first write of a slot wins. ``away`` refuses every call, ``gate`` holds readings back."""

    records: dict = field(default_factory=dict)
    away: bool = False
    gate: asyncio.Event | None = None
    reads: int = 0
    adds: int = 0

    async def all(self):
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        return tuple(self.records[key] for key in sorted(self.records))

    async def add(self, record):
        self.adds += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("away")
        return self.records.setdefault((record.algorithm, record.slot), record) == record

    def mark_bad(self, kid):
        for key, record in self.records.items():
            if record.kid == kid:
                self.records[key] = replace(record, bad=True)


def make_wrapper(keks=KEKS, *, active_kid=1, seed="wrap"):
    return LocalWrapper(keys=keks, active_kid=active_kid, entropy=CountedEntropy(seed))


@pytest.fixture
def clock():
    return ManualClock(ms=NOW_MS)


@pytest.fixture
def table():
    return MemoryKeys()


@pytest.fixture
async def make_ring(table, clock):
    """Rings of several processes on one table; what they read in the background is waited for at the end."""
    rings = []

    def make(**changes):
        ring = KeyRing(
            **{
                "repo": table,
                "wrapper": make_wrapper(),
                "clock": clock,
                "algorithm": Algorithm.ES256,
                "life": LIFE,
                **changes,
            }
        )
        rings.append(ring)
        return ring

    yield make
    for ring in rings:
        await ring.aclose()
