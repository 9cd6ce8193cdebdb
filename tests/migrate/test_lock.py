from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.kernel.clock import SystemClock
from service.migrate.apply import Applier
from service.migrate.errors import LedgerMismatch, LockLost, StepFailed
from service.migrate.events import Waiting, ignore
from service.migrate.folder import read_folder
from service.migrate.ledger import Ledger
from service.migrate.lock import LOCK_KEY, Held, Lock, Watch
from service.migrate.plan import Record
from service.migrate.runner import apply_all
from service.store.dynamo import Dynamo
from service.store.errors import CancelReason, StoreUnavailable, TransactionCancelled
from service.store.operations import Get, Put
from service.store.table import Table

LEASE = 10.0


class HandClock(SystemClock):
    """A monotonic clock that only the test moves; sleeping waits until it did."""

    def __init__(self):
        self.now = 1000.0

    def monotonic_seconds(self):
        return self.now

    async def sleep(self, seconds):
        wake = self.now + seconds
        while self.now < wake:  # noqa: ASYNC110 - the test moves the clock
            await asyncio.sleep(0.001)


@pytest.fixture
async def ledger(context):
    ledger = Ledger(control=context.control, dynamo=context.dynamo)
    await ledger.bootstrap()
    return ledger


@pytest.fixture
def lock_of(context, ledger):
    def make(name, clock=None, dynamo=None):
        return Lock(dynamo=dynamo or context.dynamo, clock=clock or HandClock(), me=name, lease_seconds=LEASE)

    return make


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


async def test_a_waiter_takes_over_only_after_a_whole_lease_without_a_renewal(lock_of):
    await lock_of("a").attempt(Watch())
    clock, watch = HandClock(), Watch()
    waiter = lock_of("b", clock)
    assert await waiter.attempt(watch) == "a"
    clock.now += LEASE - 0.01
    assert await waiter.attempt(watch) == "a"
    clock.now += 0.01
    assert isinstance(await waiter.attempt(watch), Held)


async def test_a_renewal_makes_the_waiter_wait_for_a_whole_lease_again(lock_of):
    holder = await lock_of("a").attempt(Watch())
    clock, watch = HandClock(), Watch()
    waiter = lock_of("b", clock)
    await waiter.attempt(watch)
    clock.now += LEASE - 1
    await holder._touch("SET #v = #v + :one")
    assert await waiter.attempt(watch) == "a"
    clock.now += LEASE - 1
    assert await waiter.attempt(watch) == "a"


async def test_of_two_waiters_one_takes_over(lock_of):
    await lock_of("a").attempt(Watch())
    attempts = []
    for name in ("b", "c"):
        clock, watch = HandClock(), Watch()
        waiter = lock_of(name, clock)
        await waiter.attempt(watch)
        clock.now += LEASE
        attempts.append((waiter, watch))
    outcomes = await asyncio.gather(*(waiter.attempt(watch) for waiter, watch in attempts))
    assert sum(isinstance(outcome, Held) for outcome in outcomes) == 1


async def _overtake(lock_of):
    clock, watch = HandClock(), Watch()
    waiter = lock_of("thief", clock)
    await waiter.attempt(watch)
    clock.now += LEASE
    return await waiter.attempt(watch)


async def test_a_paused_holder_that_was_overtaken_cannot_write_to_the_ledger(lock_of, ledger):
    paused = await lock_of("a").attempt(Watch())
    await _overtake(lock_of)
    with pytest.raises(LockLost):
        await ledger.append(record(), paused)
    assert await ledger.records() == ()


async def test_an_overtaken_holder_does_not_release_the_lock_of_the_next(lock_of, context):
    paused = await lock_of("a").attempt(Watch())
    await _overtake(lock_of)
    await paused.release()
    item = await context.dynamo.get(Get(table=Table.META, key=LOCK_KEY))
    assert item["holder"] == "thief"


async def test_a_holder_whose_lease_has_passed_by_its_own_clock_does_not_even_send(lock_of, ledger):
    clock = HandClock()
    held = await lock_of("a", clock).attempt(Watch())
    clock.now += LEASE
    with pytest.raises(LockLost, match="could not be renewed"):
        await ledger.append(record(), held)


async def test_work_is_cancelled_when_the_lock_is_lost(lock_of):
    clock = HandClock()
    held = await lock_of("a", clock).attempt(Watch())
    await _overtake(lock_of)
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


async def test_the_lease_is_renewed_while_work_goes_on(lock_of, context):
    clock = HandClock()
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
    lock_of, context_for, client, spy
):
    clock = HandClock()
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


async def test_a_record_is_written_once(lock_of, ledger):
    held = await lock_of("a").attempt(Watch())
    await ledger.append(record(), held)
    with pytest.raises(LedgerMismatch):
        await ledger.append(record(), held)
    assert await ledger.records() == (record(),)


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


async def test_the_holder_looks_at_the_ledger_again_before_it_starts(context_for, client, lock_of, ledger, folder):
    context = context_for(client, directory=folder("def steps(step):\n    yield step.protect('meta')\n"))
    held = await lock_of("a").attempt(Watch())
    await ledger.append(record(), held)
    with pytest.raises(LedgerMismatch, match="changed after it was applied"):
        await Applier(context=context, held=held, listener=ignore).apply_pending()


async def test_who_waits_goes_on_without_the_lock_when_the_holder_has_applied_everything(
    context_for, client, lock_of, ledger, folder
):
    directory = folder("def steps(step):\n    yield step.protect('meta')\n")
    held = await lock_of("a").attempt(Watch())
    events = []
    waiting = asyncio.create_task(apply_all(context_for(client, directory=directory), events.append))
    while not events:  # noqa: ASYNC110 - the listener is called from the task
        await asyncio.sleep(0.01)
    (migration,) = read_folder(directory)
    await ledger.append(replace(record(), name=migration.name, sha256=migration.sha256), held)
    assert (await asyncio.wait_for(waiting, 5)).applied == ()
    assert set(events) == {Waiting(holder="a")}
    held.confirm()


async def test_a_run_that_fails_lets_the_next_one_in_at_once(context_for, client, folder):
    context = context_for(client, directory=folder("def steps(step):\n    yield step.protect('users')\n"))
    with pytest.raises(StepFailed):
        await apply_all(context)
    assert "holder" not in await context.dynamo.get(Get(table=Table.META, key=LOCK_KEY))


async def test_the_ledger_is_read_page_by_page(lock_of, ledger, monkeypatch):
    monkeypatch.setattr("service.migrate.ledger._PAGE_ITEMS", 2)
    held = await lock_of("a").attempt(Watch())
    for number in range(1, 6):
        await ledger.append(record(number), held)
    assert [entry.number for entry in await ledger.records()] == [1, 2, 3, 4, 5]


async def test_a_cancelled_append_that_no_condition_explains_comes_out_as_itself(lock_of, ledger, monkeypatch):
    held = await lock_of("a").attempt(Watch())

    async def cancelled(_actions):
        reason = CancelReason(code="ItemCollectionSizeLimitExceeded", item=None)
        raise TransactionCancelled((CancelReason(code="None", item=None), reason))

    monkeypatch.setattr(type(held.lock.dynamo), "transact", lambda _dynamo, actions: cancelled(actions))
    with pytest.raises(TransactionCancelled):
        await ledger.append(record(), held)


async def test_a_fence_that_is_not_a_number_is_never_held(lock_of, context):
    await context.dynamo.write(Put(table=Table.META, item={**LOCK_KEY, "holder": "a", "fence": "one"}))
    with pytest.raises(LockLost, match="damaged"):
        await lock_of("a")._take("attribute_not_exists(holder)", {})


async def test_a_damaged_lock_item_stops_everybody(lock_of, context):
    item = {**LOCK_KEY, "holder": "a", "version": "one", "lease_ms": 1, "fence": 1}
    await context.dynamo.write(Put(table=Table.META, item=item))
    with pytest.raises(LockLost, match="damaged"):
        await lock_of("b").attempt(Watch())
