"""The watch over the event loop: it sees stalls, tells whose they were, and stops when it is told to."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.kernel.clock import SystemClock
from service.telemetry.event_loop import INTERVAL_SECONDS, Late, Ledger, LoopWatch, Spent

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

    def read(self):
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
        watch = LoopWatch(meter=meter, clock=SystemClock(), ledger=ledger or Ledger())
        opened.append(watch)
        watch.start()
        return watch

    yield open_one
    for watch in opened:
        watch.stop()


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
    open_watch(Accounts(Spent(), Spent(running=0.001), Spent(running=0.002, waiting=9.0)))
    await meter.next_tick()
    meter.stalls.clear()
    with capture_logs() as lines:
        threading.Event().wait(0.2)
        await meter.next_tick()
    assert meter.stalls[0] == "machine"
    assert next(line["log_level"] for line in lines if line["event"] == "event_loop_stalled") == "info"


@pytest.mark.parametrize(
    ("late", "cause"),
    [
        (Late(lag=0.029, running=0.049, waiting=0), None),
        (Late(lag=0.031, running=0.05, waiting=0), "busy"),
        (Late(lag=0.2, running=0.03, waiting=0.01), "blocked"),
        (Late(lag=0.2, running=0.02, waiting=0.19), "machine"),
        (Late(lag=0.2, running=0.1, waiting=0.1), "busy"),
        (Late(lag=0.2, running=0, waiting=0), "blocked"),
    ],
)
def test_the_machine_is_blamed_only_for_what_would_be_no_stall_without_it(late, cause):
    assert late.cause == cause


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


@LINUX
def test_the_kernels_account_is_of_the_thread_that_opened_it():
    before = open_files()
    ledger = Ledger()
    first = ledger.read()
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    other = threading.Thread(target=lambda: [None for _ in range(1000)])
    other.start()
    other.join()
    spent = ledger.read().running - first.running
    ledger.close()
    ledger.close()
    assert 0.05 < spent < 1
    assert open_files() == before
