"""Keys rotate once a second while tokens are verified as fast as can be: nobody is refused who should not be.

A few seconds here; a whole minute with ``KEYTURN_LONG=1`` (``make rotation``).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

import pytest

from keyturn import Bounds, errors
from tests.guard.conftest import JSON, JWKS_PATH, respond
from tests.support.live import LONG

SECONDS = 60 if LONG else 4
BOUNDS = Bounds(min_fresh_seconds=0.5, default_fresh_seconds=0.5, max_fresh_seconds=0.5, fetch_seconds=5)
KEPT = 3
BEATS = 5
"""So often the event loop goes round before the issuer answers, which it cannot where somebody blocks it for that."""
HELD_UP_SECONDS = 3


class Rotation:
    """Signs with a new key each second at once, as in an emergency, and drops the fourth last."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.current = issuer.token_for("user", lifetime=3600)
        self.retired = deque()
        """Tokens of dropped keys, each with the time when it was dropped."""
        self.signed = deque([self.current])
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(1):
            self.issuer.rotate()
            self.current = self.issuer.token_for("user", lifetime=3600)
            self.signed.append(self.current)
            if len(self.signed) > KEPT:
                self.issuer.retire(keep=KEPT)
                self.retired.append((self.signed.popleft(), time.monotonic()))


class Heart:
    """Beats in an event loop. The issuer gives no key set before ``BEATS`` more; ``held_up`` counts when none came."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.beat = threading.Condition()
        self.beats = self.held_up = self.waits = 0
        self.stopped = False

    async def run(self):
        while not self.stopped:
            with self.beat:
                self.beats += 1
                self.beat.notify_all()
            await asyncio.sleep(0.005)

    def answer(self, handler):
        """The key set of the moment when the loop has gone round."""
        with self.beat:
            self.waits += 1
            due = self.beats + BEATS
            if not self.beat.wait_for(lambda: self.stopped or self.beats >= due, timeout=HELD_UP_SECONDS):
                self.held_up += 1
        respond(handler, 200, JSON | self.issuer.headers, self.issuer.jwks_bytes())

    def stop(self):
        with self.beat:
            self.stopped = True
            self.beat.notify_all()


@pytest.fixture
def rotation(live):
    live.headers = {"Cache-Control": "public, max-age=1"}
    rotation = Rotation(live)
    rotation.thread.start()
    yield rotation
    rotation.over.set()
    rotation.thread.join()


async def test_in_an_event_loop_nobody_is_refused_and_the_loop_is_never_held_up(live, rotation, guard_of):
    guard = guard_of(live, bounds=BOUNDS)
    await guard.prepare_async()
    began = time.monotonic()
    end, verified, heart = began + SECONDS, 0, Heart(live)
    live.answers[JWKS_PATH] = heart.answer

    async def caller():
        nonlocal verified
        while time.monotonic() < end:
            assert (await guard.verify_async(rotation.current)).subject == "user"
            verified += 1
            await asyncio.sleep(0)

    beating = asyncio.create_task(heart.run())
    await asyncio.gather(*(caller() for _ in range(8)))
    heart.stop()
    await beating
    assert verified > 100
    assert heart.waits > SECONDS / 2
    assert heart.held_up == 0
    assert_retired_keys_die(guard, rotation)
    assert live.fetches <= 5 * (time.monotonic() - began) + 5


def test_in_threads_nobody_is_refused(live, rotation, guard_of):
    guard = guard_of(live, bounds=BOUNDS)
    end, failures, verified = time.monotonic() + SECONDS, [], []

    def caller():
        while time.monotonic() < end:
            try:
                guard.verify(rotation.current)
                verified.append(1)
            except errors.GuardError as error:
                failures.append(error)
                return

    callers = [threading.Thread(target=caller) for _ in range(8)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert failures == []
    assert len(verified) > 100
    assert_retired_keys_die(guard, rotation)


def assert_retired_keys_die(guard, rotation):
    """Each token of a dropped key is refused when the life of a set has passed since, and by and by all of them.

    Of a token that came later, no set can say otherwise that was fetched while the key was there, however long fetches
    take: it would be older than its life.
    """
    assert rotation.retired
    while rotation.retired:
        token, dropped = rotation.retired[0]
        asked = time.monotonic()
        try:
            guard.verify(token)
        except errors.UnknownKey:
            rotation.retired.popleft()
        else:
            assert asked - dropped < BOUNDS.max_fresh_seconds
            time.sleep(0.01)
