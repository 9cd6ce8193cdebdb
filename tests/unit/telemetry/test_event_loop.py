"""The watch over the event loop: it sees stalls, tells whose they were, and stops when it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.kernel.clock import SystemClock
from service.telemetry.event_loop import INTERVAL_SECONDS, Late, LoopWatch
from service.telemetry.thread_ledger import Spent, ThreadLedger

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's account of a thread is Linux's")


@dataclass
class Meter:
    lags: list = field(default_factory=list)
    stalls: list = field(default_factory=list)
    tasks: list = field(default_factory=list)
    ticked: asyncio.Event = field(default_factory=asyncio.Event)

    def loop_lagged(self, seconds):
        self.lags.append(seconds)
        self.ticked.set()

    def loop_stalled(self, cause):
        self.stalls.append(cause)

    def loop_tasks(self, count):
        self.tasks.append(count)

    async def next_tick(self):
        self.ticked.clear()
        await asyncio.wait_for(self.ticked.wait(), 10)


class Accounts:
    """A ledger that says what it is told."""

    def __init__(self, *accounts):
        self.accounts = list(accounts)
        self.closed = 0

    def since_last(self):
        return self.accounts.pop(0) if len(self.accounts) > 1 else self.accounts[0]

    def close(self):
        self.closed += 1


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def open_watch(meter):
    opened = []

    def open_one(ledger=None):
        watch = LoopWatch(meter=meter, clock=SystemClock(), ledger=ledger or ThreadLedger())
        opened.append(watch)
        watch.start()
        return watch

    yield open_one
    for watch in opened:
        watch.stop()


@LINUX
async def test_a_callback_that_keeps_the_loop_is_a_stall_of_the_process(open_watch, meter):
    open_watch()
    await meter.next_tick()
    meter.stalls.clear()
    with capture_logs() as lines:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
        await meter.next_tick()
    assert max(meter.lags) > 0.1
    # A machine that gives no core meanwhile adds to it and takes nothing away.
    assert meter.stalls[0] == "busy"
    (line, *_) = [line for line in lines if line["event"] == "event_loop_stalled"]
    assert (line["cause"], line["log_level"]) == ("busy", "warning")
    assert line["lag_ms"] > 100


@LINUX
async def test_a_callback_that_waits_for_a_disk_or_a_lock_is_one_too(open_watch, meter):
    open_watch()
    await meter.next_tick()
    meter.stalls.clear()
    threading.Event().wait(0.3)
    await meter.next_tick()
    assert meter.stalls[0] == "blocked"


async def test_a_stall_for_want_of_a_core_is_the_machines_and_no_warning(open_watch, meter):
    open_watch(Accounts(Spent(), Spent(), Spent(waiting=9.0)))
    await meter.next_tick()
    meter.stalls.clear()
    with capture_logs() as lines:
        threading.Event().wait(0.2)
        await meter.next_tick()
    assert meter.stalls[0] == "machine"
    assert next(line["log_level"] for line in lines if line["event"] == "event_loop_stalled") == "info"


@pytest.mark.parametrize(
    ("lag", "running", "waiting", "others_waiting", "cause"),
    [
        (0.029, 0.049, 0, 0, None),
        (0.031, 0.050, 0, 0, "busy"),
        (0.2, 0.03, 0.01, 0, "blocked"),
        (0.2, 0.00, 0, 0.1, "blocked"),
        (0.2, 0.00, 0, 0.18, "crowded"),
        (0.2, 0.01, 0.1, 0.1, "crowded"),
        (0.2, 0.02, 0.19, 0, "machine"),
        (0.2, 0.1, 0.1, 9, "busy"),
        # What is left of it may be no stall, and the machine's part is the larger: nobody can say.
        (0.183, 0.004, 0.152, 0, "machine"),
        (0.060, 0.035, 0.020, 0, "busy"),
        (0.2, 0, 0, 0, "blocked"),
    ],
)
def test_the_machine_is_blamed_only_for_what_would_be_no_stall_without_it(lag, running, waiting, others_waiting, cause):
    spent = Spent(running=running, waiting=waiting, others_waiting=others_waiting)
    assert Late(lag=lag, spent=spent).cause == cause


async def test_tasks_are_counted(open_watch, meter):
    others = [asyncio.create_task(asyncio.Event().wait()) for _ in range(5)]
    open_watch()
    await meter.next_tick()
    assert meter.tasks[0] >= 6
    for task in others:
        task.cancel()


async def test_a_watch_that_was_stopped_measures_nothing_and_holds_no_file(meter):
    ledger = Accounts(Spent())
    watch = LoopWatch(meter=meter, clock=SystemClock(), ledger=ledger)
    watch.start()
    await meter.next_tick()
    watch.stop()
    seen = len(meter.lags)
    await asyncio.sleep(INTERVAL_SECONDS * 3)
    assert (len(meter.lags), ledger.closed) == (seen, 1)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@LINUX
def test_a_ledger_tells_what_its_own_thread_spent_and_keeps_no_file_of_one_that_has_ended():
    before = open_files()
    ledger = ThreadLedger()
    assert ledger.since_last() == Spent()
    others_end = threading.Event()
    other = threading.Thread(target=others_end.wait)
    other.start()
    burn(0.1)
    assert 0.05 < ledger.since_last().running < 1
    assert open_files() >= before + 2
    others_end.set()
    other.join()
    held = open_files()
    until = time.monotonic() + 10
    while open_files() == held and time.monotonic() < until:
        ledger.since_last()
    assert open_files() < held
    ledger.close()
    ledger.close()
    assert open_files() == before


@LINUX
def test_a_thread_that_is_given_no_core_is_seen_by_the_others():
    ledger, core = ThreadLedger(), {min(os.sched_getaffinity(0))}
    whole = os.sched_getaffinity(0)
    ended = threading.Event()

    def compete():
        os.sched_setaffinity(0, core)
        # Hashing holds no interpreter, so two of these want the core at one time.
        while not ended.is_set():
            hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 20_000)

    others = [threading.Thread(target=compete) for _ in range(2)]
    ledger.since_last()
    # Threads that are new count from their beginning.
    for other in others:
        other.start()
    time.sleep(0.5)
    spent = ledger.since_last()
    ended.set()
    for other in others:
        other.join()
    ledger.close()
    assert os.sched_getaffinity(0) == whole
    assert spent.others_waiting > 0.05
