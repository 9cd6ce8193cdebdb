"""Events, and doubles of what the audit table stands on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import structlog

from service.audit.event import Event, EventKind
from service.audit.repo import EventRepo
from service.audit.table import TableAudit
from service.kernel.ids import UserId
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy

USER = UserId(b"u" * 16)
OPERATOR = UserId(b"o" * 16)


def make_event(**changes):
    return Event(**({"kind": EventKind.SIGN_IN, "outcome": "ok", "user_id": USER} | changes))


@dataclass
class Meter:
    waiting: int = 0
    dropped: list = field(default_factory=list)

    def audit_waits(self, change):
        self.waiting += change

    def audit_dropped(self, reason):
        self.dropped.append(reason)


class MemoryDynamo:
    """Writes into a dictionary; ``ways`` are what the next writes do instead: errors to raise, coroutines to await."""

    def __init__(self):
        self.items = {}
        self.ways = []
        self.tries = 0

    async def write(self, put):
        self.tries += 1
        way = self.ways.pop(0) if self.ways else None
        if isinstance(way, BaseException):
            raise way
        if way is not None:
            await way()
        assert put.condition == "attribute_not_exists(pk)"
        key = put.item["pk"], put.item["sk"]
        assert key not in self.items
        self.items[key] = {name: value for name, value in put.item.items() if value is not None}


@dataclass
class Bench:
    audit: TableAudit
    dynamo: MemoryDynamo
    meter: Meter
    clock: ManualClock

    @property
    def outcomes(self):
        return [item["oc"] for _, item in sorted(self.dynamo.items.items())]


def make_bench(**changes):
    dynamo, meter, clock = MemoryDynamo(), Meter(), ManualClock()
    settings = {"retention_seconds": 86_400, "capacity": 100, "writers": 2} | changes
    audit = TableAudit(repo=EventRepo(dynamo=dynamo), clock=clock, entropy=CountedEntropy(), meter=meter, **settings)
    return Bench(audit, dynamo, meter, clock)


@pytest.fixture
def bench():
    return make_bench


@pytest.fixture
def lines():
    with structlog.testing.capture_logs() as captured:
        yield captured
