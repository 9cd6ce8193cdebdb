"""What a second does to partitions: DynamoDB's published limits, and an even hash of partition keys.

AWS does not publish its hash or its splitting. Assumed: a key's place is uniform; one partition takes 1,000 write and
3,000 read units a second, and so does one key, however many partitions there are. How many there are is assumed twice:

- *cold*: as many as the size of the table asks for, and the four of a new one;
- *grown*: as many as twice the load asks for besides, as a table has once it has been that busy, or was warmed. An even
  load then takes at most half of each by definition: how far the hottest is above that half says how even it is.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmarks.scale.operations import Touch

WRITE_LIMIT = 1_000
READ_LIMIT = 3_000
PARTITION_BYTES = 10 * 2**30
NEW_TABLE_WRITES, NEW_TABLE_READS = 4_000, 12_000
"""Warm throughput of a new on-demand table; it grows to what was used, at most twice its last peak in half an hour."""
NEW_TABLE_PARTITIONS = NEW_TABLE_WRITES // WRITE_LIMIT
GROWN_TO = 2
"""How many times the load a grown table was made for."""

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
class Partitions:
    """How many a table has, and the share of the hottest in what one gives (1.0 is full)."""

    count: int
    hottest: float


@dataclass(frozen=True, kw_only=True)
class Heat:
    """How hot a table is: the whole in units a second, its hottest key and partition in shares of what one gives."""

    table: str
    writes: float
    reads: float
    hottest_key: float
    cold: Partitions
    grown: Partitions

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
    """The heat of a table of ``items``."""
    writes, reads = load.writes.total(), load.reads.total()
    cold = max(NEW_TABLE_PARTITIONS, math.ceil(items * ITEM_BYTES[table] / PARTITION_BYTES))
    grown = max(cold, math.ceil(max(writes / WRITE_LIMIT, reads / READ_LIMIT) * GROWN_TO))
    # Every key stands in both, with nothing where it is not written or not read.
    shares = {key: load.writes[key] / WRITE_LIMIT + load.reads[key] / READ_LIMIT for key in load.writes}
    return Heat(
        table=table,
        writes=writes,
        reads=reads,
        hottest_key=max(shares.values(), default=0.0),
        cold=spread(shares, cold),
        grown=spread(shares, grown),
    )


def spread(shares: Mapping[str, float], count: int) -> Partitions:
    """Keys with their shares on ``count`` partitions."""
    held = [0.0] * count
    for key, share in shares.items():
        held[place_of(key, count)] += share
    return Partitions(count=count, hottest=max(held))


def place_of(key: str, count: int) -> int:
    """The partition of ``count`` that holds ``key``."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:8]) * count >> 64
