from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.migrate.apply import Applier
from service.migrate.errors import LedgerMismatch, StepFailed
from service.migrate.events import Waiting, ignore
from service.migrate.folder import read_folder
from service.migrate.lock import LOCK_KEY, Watch
from service.migrate.plan import Record
from service.migrate.runner import apply_all
from service.store.errors import CancelReason, TransactionCancelled
from service.store.operations import Get
from service.store.table import Table

LEASE = 10.0


def record(number=1, fence=1):
    return Record(number=number, name=f"{number:04d}_x", sha256="0", applied_at_ms=1, took_ms=1, fence=fence)


async def test_a_record_is_written_once(lock_of, ledger):
    held = await lock_of("a").attempt(Watch())
    await ledger.append(record(), held)
    with pytest.raises(LedgerMismatch):
        await ledger.append(record(), held)
    assert await ledger.records() == (record(),)


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
    assert (await asyncio.wait_for(waiting, 20)).applied == ()
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
