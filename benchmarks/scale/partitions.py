"""What a second does to partitions: DynamoDB's published limits, and an even hash of partition keys.

AWS does not publish its hash or its splitting. Assumed: a key's place is uniform; a table has as many partitions as the
larger of its size and its provisioned warm throughput asks for; one partition takes 1,000 write and 3,000 read units a
second, and so does one key, however many partitions there are.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.scale.traffic import Touch

WRITE_LIMIT = 1_000
READ_LIMIT = 3_000
PARTITION_BYTES = 10 * 2**30
NEW_TABLE_WRITES, NEW_TABLE_READS = 4_000, 12_000
"""Warm throughput of a new on-demand table; it grows to what was used, at most twice its last peak in half an hour."""

ITEM_BYTES = {
    "users": 900,
    "identities": 220,
    "sessions": 750,
    "onetime": 900,
    "throttle": 200,
    "audit": 400,
    "outbox": 3_000,
    "revocations": 220,
    "keys": 900,
}


@dataclass
class Load:
    """Units of one second, by key."""

    writes: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Heat:
    """How hot a table is: the whole, its hottest partition and its hottest key, in units a second."""

    table: str
    writes: float
    reads: float
    partitions: int
    hottest_partition: float
    hottest_key: float

    @property
    def needs_warming(self) -> bool:
        """Whether a table that has never had more than a new one's throughput would refuse some of this."""
        return self.writes > NEW_TABLE_WRITES or self.reads > NEW_TABLE_READS

    @property
    def breaks(self) -> bool:
        """Whether one key alone is asked for more than a partition gives."""
        return self.hottest_key > 1.0


def add_up(touches: Iterable[Touch]) -> dict[str, Load]:
    """The load of each table."""
    tables: dict[str, Load] = {}
    for touch in touches:
        load = tables.setdefault(touch.table, Load())
        load.writes[touch.key] += touch.writes  # type: ignore[assignment]
        load.reads[touch.key] += touch.reads  # type: ignore[assignment]
    return tables


def heat_of(table: str, load: Load, *, items: int) -> Heat:
    """The heat of a table of ``items``; partitions and keys as shares of what one partition gives (1.0 is full)."""
    writes, reads = load.writes.total(), load.reads.total()
    by_load = math.ceil(max(writes / WRITE_LIMIT, reads / READ_LIMIT) * 2)
    count = max(1, by_load, math.ceil(items * ITEM_BYTES[table] / PARTITION_BYTES))
    shares: Counter[int] = Counter()
    hottest_key = 0.0
    for key in load.writes.keys() | load.reads.keys():
        share = load.writes[key] / WRITE_LIMIT + load.reads[key] / READ_LIMIT
        hottest_key = max(hottest_key, share)
        shares[place_of(key, count)] += share  # type: ignore[assignment]
    return Heat(
        table=table,
        writes=writes,
        reads=reads,
        partitions=count,
        hottest_partition=max(shares.values(), default=0.0),
        hottest_key=hottest_key,
    )


def place_of(key: str, count: int) -> int:
    """The partition of ``count`` that holds ``key``."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:8]) * count >> 64
