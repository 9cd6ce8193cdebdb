"""The thread behind a verifier: one, made late, in each process its own, and gone with its owner."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
import time
import traceback

import pytest

from keyturn import Bounds, Verifier
from keyturn.background import Background
from tests.guard.conftest import AUDIENCE
from tests.guard.test_freshness import until

_OF_OTHERS = set()


@pytest.fixture(autouse=True)
def _threads_of_other_tests():
    """Verifiers that other tests have left in this process are no concern of these."""
    _OF_OTHERS.clear()
    _OF_OTHERS.update(threading.enumerate())


def threads():
    return [one for one in threading.enumerate() if one.name == "keyturn-keys" and one not in _OF_OTHERS]


def in_a_child(work):
    """Whether ``work`` went well in a fork of this process, as a worker of a pre-forking server is one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        went_well = b"n"
        try:
            work()
            went_well = b"y"
        finally:
            if went_well == b"n":
                traceback.print_exc()
            os.write(writing, went_well)
            # It is killed: were it to leave in order, coverage would be written down first, which takes seconds.
            time.sleep(60)
            os._exit(1)
    os.close(writing)
    try:
        told, _, _ = select.select([reading], [], [], 20)
        return bool(told) and os.read(reading, 1) == b"y"
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_verifier_that_is_only_made_has_no_thread_and_no_connection(live, guard_of):
    guard_of(live)
    assert threads() == []
    assert live.asked == []


def test_one_thread_serves_whatever_is_asked_and_ends_with_close(live, guard_of):
    guard = guard_of(live)
    for _ in range(5):
        live.rotate()
        guard.verify(live.token_for("user"))
        assert len(threads()) == 1
    guard.close()
    guard.close()
    until(lambda: threads() == [])


def test_a_verifier_that_is_forgotten_takes_its_thread_along(live):
    guard = Verifier(live.issuer, AUDIENCE)
    guard.prepare()
    assert len(threads()) == 1
    del guard
    until(lambda: threads() == [])


def test_a_verifier_is_closed_by_leaving_its_block(live, guard_of):
    with guard_of(live) as guard:
        guard.prepare()
    until(lambda: threads() == [])

    async def in_a_loop():
        async with guard_of(live) as guard:
            await guard.prepare_async()

    asyncio.run(in_a_loop())
    until(lambda: threads() == [])


def test_a_process_that_can_have_no_more_threads_refuses_and_goes_on_when_it_can(live, guard_of, monkeypatch):
    guard, token = guard_of(live), live.token_for("user")

    def exhausted(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="new thread"):
                guard.verify(token)
    assert guard.verify(token).subject == "user"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_forked_from_a_process_that_has_keys_fetch_for_themselves(live, guard_of):
    guard = guard_of(live)
    guard.prepare()
    known = live.token_for("user")
    live.rotate()
    unknown = live.token_for("user")

    def work():
        assert guard.verify(known).subject == "user"
        assert guard.verify(unknown).subject == "user"
        assert asyncio.run(guard.verify_async(unknown)).subject == "user"

    assert in_a_child(work)
    assert in_a_child(work)
    assert live.fetches == 3
    work()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_fetch_leaves_nobody_waiting_for_a_thread_that_is_not_there(live, guard_of):
    guard = guard_of(live, bounds=Bounds(fetch_seconds=20))
    live.held = threading.Event()
    parent = threading.Thread(target=guard.prepare)
    parent.start()
    assert live.arrived.wait(20)
    token = live.token_for("user")

    def work():
        assert guard.verify(token).subject == "user"

    # The child's own request is answered at once; the parent's goes on being held back.
    held, live.held = live.held, None
    assert in_a_child(work)
    held.set()
    parent.join(20)
    work()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_lock_that_was_held_when_the_process_forked_stops_no_child():
    class Owner:
        def __init__(self):
            self.background = Background(self.job, name="keyturn-keys", overdue_seconds=5)
            self.done = 0

        def job(self):
            self.done += 1
            return 1000

    owner = Owner()
    taken, release = threading.Event(), threading.Event()

    def hold():
        with owner.background.lock:
            taken.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(20)

    def work():
        owner.background.run().result(10)
        assert owner.done == 1

    assert in_a_child(work)
    release.set()
    holder.join(20)
    owner.background.close()
