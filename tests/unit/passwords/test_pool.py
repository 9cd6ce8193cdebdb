from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import asynccontextmanager

import pytest

from service.errors import TooManyRequests, Unavailable
from service.passwords import pool as pool_module
from service.passwords.pool import HashingPool, quota_cores, share_of_cores, usable_cores


class Job:
    """Work that lasts until it is let go, and says when it has begun."""

    def __init__(self):
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.let_go.wait(10)
        return "done"

    async def running(self):
        assert await asyncio.to_thread(self.begun.wait, 10)


@asynccontextmanager
async def pool_of(*, slots=1, queue=1):
    pool = HashingPool(slots=slots, queue=queue)
    try:
        yield pool
    finally:
        await pool.close()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_work_is_done_in_another_thread():
    async with pool_of() as pool:
        assert await pool.run(threading.get_ident) != threading.get_ident()


async def test_what_the_work_raises_is_raised_and_the_slot_is_free_again():
    def broken():
        raise LookupError("broken")

    async with pool_of(queue=0) as pool:
        for _ in range(3):
            with pytest.raises(LookupError):
                await pool.run(broken)
        assert await pool.run(lambda: 1) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
async def test_hashing_gives_way_to_the_event_loop():
    async with pool_of() as pool:
        nice = await pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert nice >= os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert nice >= 10


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
@pytest.mark.parametrize("nice", [0, 3, 19])
async def test_how_far_it_gives_way_can_be_told(monkeypatch, nice):
    given = []
    monkeypatch.setattr(os, "getpriority", lambda *_: 0)
    monkeypatch.setattr(os, "setpriority", lambda _kind, _thread, nice: given.append(nice))
    pool = HashingPool(slots=1, queue=0, nice=nice)
    await pool.run(lambda: 1)
    await pool.close()
    assert given == [nice]


@pytest.mark.parametrize("nice", [-1, 20])
def test_it_never_comes_before_the_event_loop(nice):
    with pytest.raises(ValueError, match="nice value"):
        HashingPool(slots=1, queue=0, nice=nice)


async def test_a_sandbox_that_forbids_the_priority_does_not_stop_hashing(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    async with pool_of() as pool:
        assert await pool.run(lambda: 1) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
async def test_a_process_that_already_gives_way_is_not_hurried(monkeypatch):
    given = []
    monkeypatch.setattr(os, "getpriority", lambda *_: 15)
    monkeypatch.setattr(os, "setpriority", lambda _kind, _thread, nice: given.append(nice))
    async with pool_of() as pool:
        await pool.run(lambda: 1)
    assert given == [15]


async def test_elsewhere_no_priority_is_set(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "setpriority", lambda *_: pytest.fail("would be a process's"))
    async with pool_of() as pool:
        assert await pool.run(lambda: 1) == 1
    assert usable_cores() >= 1


def test_there_is_a_core_to_use():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("cpu_max", "cores"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("150000 100000\n", 1),
        ("50000 100000\n", 1),
        ("400000 50000\n", 8),
        ("", None),
        ("200000\n", None),
        ("200000 0\n", None),
        ("-1 100000\n", None),
    ],
)
def test_a_containers_quota_is_worth_as_many_whole_cores_and_one_at_least(cpu_max, cores):
    assert quota_cores(cpu_max) == cores


def test_a_quota_below_the_cores_that_are_there_is_what_may_be_used(monkeypatch, tmp_path):
    (file := tmp_path / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(pool_module, "_CPU_MAX", file)
    monkeypatch.setattr(sys, "platform", "elsewhere")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert usable_cores() == 1
    file.write_text("max 100000\n")
    assert usable_cores() == 8
    file.write_text("1600000 100000\n")
    assert usable_cores() == 8
    file.unlink()
    assert usable_cores() == 8


@pytest.mark.parametrize(
    ("processes", "cores", "slots"), [(1, 1, 1), (1, 8, 8), (2, 8, 4), (3, 8, 2), (8, 8, 1), (9, 8, 1), (4, 1, 1)]
)
def test_processes_that_share_the_cores_share_the_slots_and_have_one_at_least(processes, cores, slots):
    assert share_of_cores(processes, cores=cores) == slots


@pytest.mark.parametrize(("slots", "queue"), [(0, 1), (-1, 1), (1, -1)])
def test_a_pool_without_a_slot_is_refused(slots, queue):
    with pytest.raises(ValueError, match="needs a slot"):
        HashingPool(slots=slots, queue=queue)


async def test_no_more_runs_at_once_than_there_are_slots():
    now, most, lock = 0, 0, threading.Lock()

    def work():
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1

    async with pool_of(slots=2, queue=30) as pool:
        await asyncio.gather(*(pool.run(work) for _ in range(20)))
    assert most == 2


async def test_over_the_queue_the_caller_is_told_when_to_come_back():
    async with pool_of(slots=1, queue=1) as pool:
        job = Job()
        first = asyncio.create_task(pool.run(job))
        await job.running()
        second = asyncio.create_task(pool.run(lambda: "second"))
        await settle()
        assert pool.waiting == 1
        with pytest.raises(Unavailable) as refused:
            await pool.run(lambda: "third")
        assert refused.value.headers() == {"Retry-After": "1"}
        job.let_go.set()
        assert (await first, await second) == ("done", "second")
        assert pool.waiting == 0
        assert await pool.run(lambda: "fourth") == "fourth"


async def test_attack_a_flood_of_sign_ins_holds_no_more_than_slots_and_queue():
    async with pool_of(slots=2, queue=3) as pool:
        job = Job()
        flood = [asyncio.create_task(pool.run(job)) for _ in range(200)]
        await job.running()
        await settle()
        job.let_go.set()
        answers = await asyncio.gather(*flood, return_exceptions=True)
    assert answers.count("done") == 5
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 195


async def test_whoever_gives_up_while_waiting_leaves_the_queue():
    async with pool_of(slots=1, queue=1) as pool:
        job = Job()
        first = asyncio.create_task(pool.run(job))
        await job.running()
        second = asyncio.create_task(pool.run(lambda: pytest.fail("was given up")))
        await settle()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert pool.waiting == 0
        third = asyncio.create_task(pool.run(lambda: "third"))
        job.let_go.set()
        assert (await first, await third) == ("done", "third")


async def test_whoever_gives_up_while_hashing_keeps_the_slot_until_the_thread_is_done():
    async with pool_of(slots=1, queue=0) as pool:
        job = Job()
        first = asyncio.create_task(pool.run(job))
        await job.running()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(Unavailable):
            await pool.run(lambda: "too early")
        job.let_go.set()
        for _ in range(200):
            await asyncio.sleep(0.005)
            try:
                assert await pool.run(lambda: "free") == "free"
            except Unavailable:
                continue
            break
        else:
            pytest.fail("the slot never came back")


async def test_a_last_look_is_taken_between_the_slot_and_the_work():
    order = []

    async def look():
        order.append("look")

    async with pool_of() as pool:
        await pool.run(lambda: order.append("work"), on_slot=look)
    assert order == ["look", "work"]


async def test_what_the_last_look_raises_stops_the_work_and_frees_the_slot():
    async def look():
        raise TooManyRequests(retry_after_seconds=7)

    async with pool_of(queue=0) as pool:
        for _ in range(2):
            with pytest.raises(TooManyRequests):
                await pool.run(lambda: pytest.fail("the limit was reached"), on_slot=look)
        assert await pool.run(lambda: 1) == 1


async def test_closing_lets_work_finish_and_turns_the_others_away():
    pool = HashingPool(slots=1, queue=2)
    job = Job()
    first = asyncio.create_task(pool.run(job))
    await job.running()
    waiting = asyncio.create_task(pool.run(lambda: pytest.fail("was closed")))
    await settle()
    closing = asyncio.create_task(pool.close())
    await settle()
    assert not closing.done()
    job.let_go.set()
    assert await first == "done"
    await closing
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable):
        await pool.run(lambda: 1)


async def test_closing_twice_is_no_error():
    pool = HashingPool(slots=1, queue=0)
    await pool.close()
    await pool.close()
