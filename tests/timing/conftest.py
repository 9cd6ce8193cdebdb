"""The service in this process, on a clock that notes each wait for a beat instead of waiting, and a record of calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.kernel.clock import SystemClock
from service.telemetry.metrics import Metrics
from tests.support.live import store, workers
from tests.support.store import READS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["store", "workers"]

BEAT_MS = 150
_LONGEST_BEAT_SECONDS = 1.0


async def nothing():
    return


@dataclass
class BeatClock(SystemClock):
    """The machine's clock, but for beats: a wait for one is noted instead, with when it began and the calls before."""

    calls: list[str] = field(default_factory=list)
    settled: Callable[[], Awaitable[None]] = nothing
    ahead_ms: int = 0
    ends: list[float] = field(default_factory=list)
    waits: list[tuple[float, float, float, tuple[str, ...]]] = field(default_factory=list)

    def now_ms(self):
        return super().now_ms() + self.ahead_ms

    async def sleep(self, seconds):
        if seconds > _LONGEST_BEAT_SECONDS:
            await super().sleep(seconds)
            return
        self.waits.append((perf_counter(), process_time(), seconds, tuple(self.calls)))
        # The beat is long: what was begun before it, such as a mail, is done by its end.
        await self.settled()
        self.ends.append(perf_counter())


@pytest.fixture
def clock(calls):
    return BeatClock(calls=calls)


@pytest.fixture
def environ(environ):
    """Hashes that take some milliseconds, so that one more or less is seen; lines of the log take time too."""
    return environ | {
        "KEYTURN_ARGON2_MEMORY_KIB": "4096",
        "KEYTURN_ARGON2_TIME_COST": "2",
        "KEYTURN_ANSWER_BEAT_MS": str(BEAT_MS),
    }


BESIDE = {"audit", "keys"}
"""Written after answers, and read now and then; the outbox is looked through now and then too."""


@pytest.fixture
def calls(monkeypatch):
    """Every call to DynamoDB as ``read`` or ``write``, in order."""
    made, record = [], Metrics.record

    def recorded(meter, **call):
        if call["table"] not in BESIDE and (call["table"], call["operation"]) != ("outbox", "query"):
            made.append("read" if call["operation"] in READS else "write")
        record(meter, **call)

    monkeypatch.setattr(Metrics, "record", recorded)
    return made


@pytest.fixture
def settled(client, clock):
    """Waits until what an answer has caused is done: mails have left, events are written."""
    flow = client.app.state.services.get(ForgotPassword)

    async def wait():
        while under_way := flow.outbox._tasks | flow.audit.table._tasks:
            await asyncio.wait(under_way)

    clock.settled = wait
    return wait
