from __future__ import annotations

import asyncio

import pytest

from service.migrate.errors import LockLost
from service.migrate.lock import LOCK_KEY, Held, Watch
from service.migrate.plan import Record
from service.store.dynamo import Dynamo
from service.store.errors import StoreUnavailable, TransactionCancelled
from service.store.operations import Get, Put
from service.store.table import Table

LEASE = 10.0


def record(number=1, fence=1):
    return Record(number=number, name=f"{number:04d}_x", sha256="0", applied_at_ms=1, took_ms=1, fence=fence)


async def test_a_free_lock_is_taken_and_a_held_one_names_its_holder(lock_of):
    held = await lock_of("a").attempt(Watch())
    assert isinstance(held, Held)
    assert held.fence == 1
    assert await lock_of("b").attempt(Watch()) == "a"


async def test_each_holder_has_a_greater_fence(lock_of):
    for fence in (1, 2, 3):
        held = await lock_of(f"holder{fence}").attempt(Watch())
        assert held.fence == fence
        await held.release()


async def test_a_waiter_takes_over_only_after_a_whole_lease_without_a_renewal(lock_of, hand_clock):
    await lock_of("a").attempt(Watch())
    clock, watch = hand_clock(), Watch()
    waiter = lock_of("b", clock)
    assert await waiter.attempt(watch) == "a"
    clock.now += LEASE - 0.01
    assert await waiter.attempt(watch) == "a"
    clock.now += 0.01
    assert isinstance(await waiter.attempt(watch), Held)


async def test_a_renewal_makes_the_waiter_wait_for_a_whole_lease_again(lock_of, hand_clock):
    holder = await lock_of("a").attempt(Watch())
    clock, watch = hand_clock(), Watch()
    waiter = lock_of("b", clock)
    await waiter.attempt(watch)
    clock.now += LEASE - 1
    await holder._touch("SET #v = #v + :one")
    assert await waiter.attempt(watch) == "a"
    clock.now += LEASE - 1
    assert await waiter.attempt(watch) == "a"


async def test_of_two_waiters_one_takes_over(lock_of, hand_clock):
    await lock_of("a").attempt(Watch())
    attempts = []
    for name in ("b", "c"):
        clock, watch = hand_clock(), Watch()
        waiter = lock_of(name, clock)
        await waiter.attempt(watch)
        clock.now += LEASE
        attempts.append((waiter, watch))
    outcomes = await asyncio.gather(*(waiter.attempt(watch) for waiter, watch in attempts))
    assert sum(isinstance(outcome, Held) for outcome in outcomes) == 1


async def _overtake(lock_of, hand_clock):
    clock, watch = hand_clock(), Watch()
    waiter = lock_of("thief", clock)
    await waiter.attempt(watch)
    clock.now += LEASE
    return await waiter.attempt(watch)


async def test_a_paused_holder_that_was_overtaken_cannot_write_to_the_ledger(lock_of, hand_clock, ledger):
    paused = await lock_of("a").attempt(Watch())
    await _overtake(lock_of, hand_clock)
    with pytest.raises(LockLost):
        await ledger.append(record(), paused)
    assert await ledger.records() == ()


async def test_an_overtaken_holder_does_not_release_the_lock_of_the_next(lock_of, hand_clock, context):
    paused = await lock_of("a").attempt(Watch())
    await _overtake(lock_of, hand_clock)
    await paused.release()
    item = await context.dynamo.get(Get(table=Table.META, key=LOCK_KEY))
    assert item["holder"] == "thief"


async def test_a_holder_whose_lease_has_passed_by_its_own_clock_does_not_even_send(lock_of, hand_clock, ledger):
    clock = hand_clock()
    held = await lock_of("a", clock).attempt(Watch())
    clock.now += LEASE
    with pytest.raises(LockLost, match="could not be renewed"):
        await ledger.append(record(), held)


async def test_work_is_cancelled_when_the_lock_is_lost(lock_of, hand_clock):
    clock = hand_clock()
    held = await lock_of("a", clock).attempt(Watch())
    await _overtake(lock_of, hand_clock)
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    keeping = asyncio.create_task(held.keep_while(work()))
    await asyncio.sleep(0.01)
    clock.now += LEASE / 3
    with pytest.raises(LockLost):
        await keeping
    assert cancelled.is_set()


async def test_the_lease_is_renewed_while_work_goes_on(lock_of, hand_clock, context):
    clock = hand_clock()
    held = await lock_of("a", clock).attempt(Watch())

    async def version():
        return (await context.dynamo.get(Get(table=Table.META, key=LOCK_KEY)))["version"]

    async def work():
        for _ in range(6):
            seen = await version()
            clock.now += LEASE / 3
            while await version() == seen:  # noqa: ASYNC110 - the store has no events
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.05)
        held.confirm()
        return "done"

    assert await held.keep_while(work()) == "done"


async def test_a_store_that_is_away_for_a_moment_does_not_cost_the_lock_but_for_a_lease_it_does(
    lock_of, hand_clock, context_for, client, spy
):
    clock = hand_clock()
    dead_after_two = context_for(spy(client, dies_at=3)).dynamo
    held = await lock_of("a", clock, dead_after_two).attempt(Watch())
    keeping = asyncio.create_task(held.keep_while(asyncio.Event().wait()))
    for _ in range(2):
        await asyncio.sleep(0.05)
        clock.now += LEASE / 3
    await asyncio.sleep(0.05)
    assert not keeping.done()
    clock.now += LEASE / 3
    with pytest.raises(LockLost, match="could not be renewed"):
        await keeping


async def test_the_error_of_the_work_comes_out_as_itself(lock_of):
    held = await lock_of("a").attempt(Watch())

    async def work():
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await held.keep_while(work())


async def test_a_lost_answer_to_taking_the_lock_is_recognised(lock_of):
    lock = lock_of("a")
    await lock.attempt(Watch())
    again = await lock._take("attribute_not_exists(holder)", {})
    assert isinstance(again, Held)
    assert again.fence == 1


async def test_a_refused_action_of_a_fenced_write_is_told_from_a_lost_lock(lock_of):
    held = await lock_of("a").attempt(Watch())
    put = Put(table=Table.META, item={"pk": "x", "sk": "y"}, condition="attribute_exists(pk)")
    with pytest.raises(TransactionCancelled) as cancelled:
        await held.write(put)
    assert cancelled.value.refused(1)


async def test_fenced_writes_go_one_by_one_since_aws_refuses_two_transactions_on_one_item(lock_of, monkeypatch):
    held = await lock_of("a").attempt(Watch())
    transact, under_way = Dynamo.transact, []

    async def alone(dynamo, actions):
        assert not under_way
        under_way.append(True)
        await transact(dynamo, actions)
        under_way.pop()

    monkeypatch.setattr(Dynamo, "transact", alone)
    await asyncio.gather(
        *(held.write(Put(table=Table.META, item={"pk": "x", "sk": str(index)})) for index in range(20))
    )


async def test_a_fence_that_is_not_a_number_is_never_held(lock_of, context):
    await context.dynamo.write(Put(table=Table.META, item={**LOCK_KEY, "holder": "a", "fence": "one"}))
    with pytest.raises(LockLost, match="damaged"):
        await lock_of("a")._take("attribute_not_exists(holder)", {})


async def test_a_damaged_lock_item_stops_everybody(lock_of, context):
    item = {**LOCK_KEY, "holder": "a", "version": "one", "lease_ms": 1, "fence": 1}
    await context.dynamo.write(Put(table=Table.META, item=item))
    with pytest.raises(LockLost, match="damaged"):
        await lock_of("b").attempt(Watch())
