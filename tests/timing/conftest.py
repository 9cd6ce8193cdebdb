"""The service in this process with its limits on, on a clock that notes when each answer began to wait for its beat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.kernel.clock import SystemClock
from service.telemetry.metrics import Metrics
from tests.support.live import store, workers
from tests.support.store import READS
from tests.timing.watch import WATCH, Rest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["store", "workers"]

BEAT_MS = 150


async def nothing():
    return


@dataclass
class BeatClock(SystemClock):
    """The machine's clock, which can be set ahead. It notes when a request waits for its beat, and the calls before."""

    settled: Callable[[], Awaitable[None]] = nothing
    ahead_ms: int = 0

    def now_ms(self):
        return super().now_ms() + self.ahead_ms

    async def sleep(self, seconds):
        watch = WATCH.get()
        if watch is None:
            await super().sleep(seconds)
            return
        rest = Rest(began=perf_counter(), cpu_began=process_time(), calls=tuple(watch.calls))
        watch.rests.append(rest)
        settling = asyncio.create_task(self._settle(watch))
        await super().sleep(seconds)
        rest.ended = perf_counter()
        await settling

    async def _settle(self, watch):
        """The beat is long: what was begun before it, such as a mail, is done meanwhile, and then the next may come."""
        await self.settled()
        watch.is_resting.set()


@pytest.fixture
def clock():
    return BeatClock()


@pytest.fixture
def environ(environ):
    """Hashes that take some milliseconds, so that one more or less is seen; lines of the log take time too."""
    return environ | {
        "KEYTURN_ARGON2_MEMORY_KIB": "2048",
        "KEYTURN_ARGON2_TIME_COST": "2",
        "KEYTURN_THROTTLE": "on",
        "KEYTURN_ANSWER_BEAT_MS": str(BEAT_MS),
    }


BESIDE = {"audit", "keys"}
"""Written after answers, and read now and then; the outbox is looked through now and then too."""


@pytest.fixture(autouse=True)
def _calls_are_noted(monkeypatch):
    """Every call to DynamoDB, in order, for the request that it was made for.

    ``read``, or ``write`` with its units: of a transaction, twice the number of its actions.
    """
    record = Metrics.record

    def recorded(meter, **call):
        watch = WATCH.get()
        if watch and call["table"] not in BESIDE and (call["table"], call["operation"]) != ("outbox", "query"):
            watch.calls.append("read" if call["operation"] in READS else f"write {call['units']:g}")
        record(meter, **call)

    monkeypatch.setattr(Metrics, "record", recorded)


@pytest.fixture(autouse=True)
def _settling(request, clock):
    """Lets the clock wait until what an answer has caused is done: mails have left, events are written."""
    if "client" not in request.fixturenames:
        return
    flow = request.getfixturevalue("client").app.state.services.get(ForgotPassword)

    async def settled():
        while under_way := flow.outbox._tasks | flow.audit.table._tasks:
            await asyncio.wait(under_way)

    clock.settled = settled
