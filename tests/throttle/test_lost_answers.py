"""A client sends a write again whose answer was lost, and then it may be served twice."""

from __future__ import annotations

from service.kernel.entropy import SystemEntropy
from service.throttle.lanes import Lane
from service.throttle.limits import ACCOUNT
from service.throttle.model import EMPTY
from service.throttle.repo import TallyRepo, parse, read

LANE = Lane(key="account#lost", limit=ACCOUNT)


class ServedTwice:
    """The store's port as it is when the first answer to each write is lost."""

    def __init__(self, dynamo):
        self._dynamo = dynamo

    async def write(self, operation):
        await self._dynamo.write(operation)
        return await self._dynamo.write(operation)


async def test_a_reservation_whose_return_was_not_answered_takes_no_failure_of_others_with_it(base, clock):
    repo = TallyRepo(dynamo=base.dynamo, entropy=SystemEntropy())
    lost = TallyRepo(dynamo=ServedTwice(base.dynamo), entropy=SystemEntropy())
    failed = await repo.count(LANE, 3, seen=EMPTY, now_ms=clock.now_ms())
    for _ in range(2):
        reserved = await repo.reserve(LANE, seen=failed, now_ms=clock.now_ms(), held=lambda: 0)
        assert (await lost.release(LANE, reserved)).current == 3
    assert parse(await base.dynamo.get(read(LANE))).current == 3


async def test_nor_does_it_when_a_new_window_has_begun(base, clock):
    repo = TallyRepo(dynamo=base.dynamo, entropy=SystemEntropy())
    lost = TallyRepo(dynamo=ServedTwice(base.dynamo), entropy=SystemEntropy())
    failed = await repo.count(LANE, 3, seen=EMPTY, now_ms=clock.now_ms())
    reserved = await repo.reserve(LANE, seen=failed, now_ms=clock.now_ms(), held=lambda: 0)
    clock.advance(seconds=ACCOUNT.window_seconds)
    await repo.count(LANE, 1, seen=reserved, now_ms=clock.now_ms())
    assert (await lost.release(LANE, reserved)).previous == 3
