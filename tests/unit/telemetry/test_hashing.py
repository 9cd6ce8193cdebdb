from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from service.errors import Unavailable
from service.kernel.clock import SystemClock
from service.passwords.pool import HashingPool
from service.telemetry.hashing import MeasuredPool


@dataclass
class Meter:
    waiting: int = 0
    most: int = 0
    refused: int = 0
    hashes: list = field(default_factory=list)

    def hash_waits(self, change):
        self.waiting += change
        self.most = max(self.most, self.waiting)

    def hash_refused(self):
        self.refused += 1

    def hashed(self, *, wait_seconds, work_seconds):
        self.hashes.append((wait_seconds, work_seconds))


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
async def pool(meter, spans):
    pool = MeasuredPool(pool=HashingPool(slots=1, queue=1), clock=SystemClock(), meter=meter, tracing=spans.tracing)
    yield pool
    await pool.close()


async def test_a_hash_is_a_span_with_its_wait_and_its_work(pool, meter, spans):
    assert await pool.run(lambda: 42) == 42
    ((wait, work),) = meter.hashes
    assert dict(spans.only.attributes) == {"keyturn.hash.wait_seconds": wait, "keyturn.hash.work_seconds": work}
    assert spans.only.name == "hash password"
    assert (meter.waiting, pool.slots) == (0, 1)


async def test_waiting_is_told_apart_from_working(pool, meter):
    release = threading.Event()
    first = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(pool.run(lambda: 2))
    await asyncio.sleep(0.05)
    assert meter.waiting == 1
    release.set()
    await asyncio.gather(first, second)
    assert meter.waiting == 0
    (first_wait, first_work), (second_wait, _) = meter.hashes
    assert first_wait < second_wait
    assert first_work >= 0.05
    assert second_wait >= 0.05


async def test_a_full_queue_is_a_refusal_and_no_hash(pool, meter):
    release = threading.Event()
    running = [asyncio.create_task(pool.run(release.wait)) for _ in range(2)]
    await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await pool.run(lambda: 3)
    assert (meter.refused, meter.waiting) == (1, 1)
    release.set()
    await asyncio.gather(*running)
    assert (len(meter.hashes), meter.waiting) == (2, 0)


async def test_a_caller_that_leaves_the_queue_is_not_counted_as_waiting(pool, meter):
    release = threading.Event()
    first = asyncio.create_task(pool.run(release.wait))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(pool.run(lambda: 2))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert meter.waiting == 0
    release.set()
    await first


async def test_what_the_throttle_refuses_at_the_slot_is_no_refusal_of_the_pool(pool, meter):
    async def refuse():
        raise Unavailable("limited")

    with pytest.raises(Unavailable):
        await pool.run(lambda: 1, on_slot=refuse)
    assert (meter.refused, meter.hashes, meter.waiting) == (0, [], 0)


async def test_on_slot_is_still_awaited_before_the_work(pool):
    order = []

    async def look():
        order.append("slot")

    await pool.run(lambda: order.append("work"), on_slot=look)
    assert order == ["slot", "work"]


async def test_leak_an_error_of_the_work_is_named_by_its_class(pool, meter, spans):
    def fail():
        raise ValueError("canary-4711")

    with pytest.raises(ValueError, match="canary"):
        await pool.run(fail)
    assert "canary" not in spans.text
    assert (meter.hashes, meter.waiting) == ([], 0)
