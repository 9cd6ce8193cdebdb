"""What a process remembers of lanes and networks is bounded, however many names and addresses somebody invents."""

from __future__ import annotations

import pytest

from service.errors import TooManyRequests
from service.kernel.entropy import SystemEntropy
from service.store.errors import StoreUnavailable
from service.throttle.bounded_storage import DEFAULT_CAPACITY as DEFAULT_NETWORKS
from service.throttle.bounded_storage import BoundedStorage
from service.throttle.gate import Gate
from service.throttle.lanes import LaneKeys
from service.throttle.limiter import Limiter
from service.throttle.local_cap import LocalCap
from service.throttle.memory import DEFAULT_CAPACITY, Memory
from service.throttle.repo import TallyRepo

KEYS = LaneKeys(bytes(32))


class EmptyDynamo:
    """A store without items, which takes every write and keeps none."""

    is_away = False

    async def batch_get(self, operations):
        if self.is_away:
            raise StoreUnavailable("away")
        return (None,) * len(operations)

    async def write(self, operation):
        return {"w": operation.values[":w"], "c": operation.values[":n"], "p": 0, "lt": operation.values[":now"]}


@pytest.fixture
def dynamo():
    return EmptyDynamo()


@pytest.fixture
def limiter(dynamo, clock):
    return Limiter(
        gate=Gate(repo=TallyRepo(dynamo=dynamo, entropy=SystemEntropy()), memory=Memory(), cap=LocalCap(), clock=clock)
    )


async def flood(limiter, names, *, seen=lambda: None):
    passed = 0
    for number in names:
        lanes = KEYS.sign_in(identity_key=f"e1#{number}", prefix=f"2001:db8:0:{number:x}::/64", device=None)
        try:
            async with await limiter.before(lanes) as attempt:
                await attempt.at_slot()
                await attempt.failed()
                passed += 1
        except TooManyRequests:
            continue
        finally:
            seen()
    return passed


async def test_memory_exhaustion_a_flood_of_names_and_networks_leaves_ten_thousand_lanes(limiter):
    most = 0

    def look():
        nonlocal most
        most = max(most, len(limiter.gate.memory))

    assert await flood(limiter, range(DEFAULT_CAPACITY // 2 + 500), seen=look) == DEFAULT_CAPACITY // 2 + 500
    assert most == DEFAULT_CAPACITY


async def test_memory_exhaustion_a_flood_while_the_store_is_away_leaves_what_a_minute_lets_through(
    limiter, dynamo, clock
):
    dynamo.is_away = True
    for minute in range(3):
        assert await flood(limiter, range(5000 * minute, 5000 * minute + 5000)) == LocalCap().total
        clock.advance(seconds=60)
    assert len(limiter.gate.memory) <= 3 * 2 * LocalCap().total
    assert len(limiter.gate.cap._by_lane) <= 2 * LocalCap().total


def test_memory_exhaustion_a_flood_of_networks_leaves_twenty_thousand_coarse_counts(clock):
    storage = BoundedStorage(clock=clock)
    for number in range(DEFAULT_NETWORKS + 5000):
        storage.incr(f"network {number}", 60)
    assert len(storage) == DEFAULT_NETWORKS
