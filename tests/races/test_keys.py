"""Signing keys without a leader: processes that see the same key due make one."""

from __future__ import annotations

import asyncio
import multiprocessing
import os

import pytest
from prometheus_client import CollectorRegistry

from service.base import build_keyring, open_base
from service.settings import load
from service.telemetry.metrics import Metrics
from tests.support.clock import ManualClock

RINGS = 10


def ring_at(store, clock):
    """A key ring that shares nothing with others but the table."""
    ring = build_keyring(store)
    ring.clock = clock
    return ring


def sign_in_a_process(starting_line, answer):
    """Tell the name of the key that this process signs with."""

    async def kid():
        async with open_base(load(os.environ), Metrics(registry=CollectorRegistry())) as base:
            starting_line.wait(timeout=30)
            return (await build_keyring(base).signer()).kid

    answer.put(asyncio.run(kid()))


async def kids_of_processes(workers):
    context = multiprocessing.get_context("forkserver")
    starting_line, answers = context.Barrier(RINGS), context.SimpleQueue()
    for _ in range(RINGS):
        workers.run(sign_in_a_process, starting_line, answers)
    kids = [await asyncio.to_thread(answers.get) for _ in range(RINGS)]
    answers.close()
    return kids


async def kids_of_rings(store, clock):
    rings = [ring_at(store, clock) for _ in range(RINGS)]
    signers = await asyncio.gather(*(ring.signer() for ring in rings))
    return [signer.kid for signer in signers]


@pytest.fixture
def repo(store):
    return build_keyring(store).repo


async def test_ten_processes_on_an_empty_table_make_one_key_and_sign_with_it(workers, repo):
    kids = await kids_of_processes(workers)
    (record,) = await repo.all()
    assert kids == [record.kid] * RINGS


async def test_ten_rings_on_an_empty_table_make_one_key_and_sign_with_it(store, repo):
    kids = await kids_of_rings(store, ManualClock())
    (record,) = await repo.all()
    assert kids == [record.kid] * RINGS


async def test_ten_processes_that_find_the_next_key_due_make_one_and_sign_with_the_old(store, workers, repo):
    long_ago = ManualClock(store.clock.now_ms() - build_keyring(store).life.rotation_ms + 3600 * 1000)
    old = (await ring_at(store, long_ago).signer()).kid
    assert await kids_of_processes(workers) == [old] * RINGS
    assert [record.slot for record in await repo.all()] == [1, 2]


async def test_ten_rings_that_rotate_at_the_same_time_agree_through_a_year(store, repo):
    clock = ManualClock()
    signed_with = []
    life = build_keyring(store).life
    for _ in range(12):
        (kid,) = set(await kids_of_rings(store, clock))
        signed_with.append(kid)
        clock.advance(seconds=(life.rotation_ms - life.publish_ahead_ms) // 1000)
        assert set(await kids_of_rings(store, clock)) == {kid}
        clock.advance(seconds=life.publish_ahead_ms // 1000)
    records = await repo.all()
    assert [record.slot for record in records] == list(range(1, 14)), (
        "a key for each month, and the one that comes next"
    )
    assert signed_with == [record.kid for record in records[:12]]


async def test_of_ten_operators_who_rotate_at_once_each_slot_has_one_key(store, repo):
    clock = ManualClock()
    await ring_at(store, clock).signer()
    rings = [ring_at(store, clock) for _ in range(RINGS)]
    made = await asyncio.gather(*(ring.rotate(begins_ms=clock.now_ms()) for ring in rings))
    records = await repo.all()
    assert [record.slot for record in records] == list(range(1, len(records) + 1))
    assert {record.kid for record in made if record is not None} == {record.kid for record in records[1:]}
    assert len({(await ring.signer()).kid for ring in rings}) == 1
