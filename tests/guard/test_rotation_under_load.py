"""Keys rotate once a second while tokens are verified as fast as can be: nobody is refused who should not be.

A few seconds here; a whole minute with ``KEYTURN_LONG=1``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

import pytest

from keyturn import Bounds, errors
from tests.support.live import LONG

SECONDS = 60 if LONG else 4
BOUNDS = Bounds(min_fresh_seconds=0.5, default_fresh_seconds=0.5, max_fresh_seconds=0.5, fetch_seconds=5)
BOUND_SECONDS = BOUNDS.max_fresh_seconds + BOUNDS.fetch_seconds
KEPT = 3


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
    end, verified, pauses = began + SECONDS, 0, []

    async def caller():
        nonlocal verified
        while time.monotonic() < end:
            assert (await guard.verify_async(rotation.current)).subject == "user"
            verified += 1
            await asyncio.sleep(0)

    async def heart():
        while time.monotonic() < end:
            slept, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.01)
            # What this thread did itself is no hold-up: the others are eight callers' worth of signatures.
            pauses.append(time.monotonic() - slept - (time.thread_time() - worked))

    await asyncio.gather(heart(), *(caller() for _ in range(8)))
    assert verified > 100
    assert sorted(pauses)[len(pauses) // 2] < 0.25
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
    """Each token of a dropped key is refused when the bound has passed since, and by and by all of them."""
    assert rotation.retired
    while rotation.retired:
        token, dropped = rotation.retired[0]
        asked = time.monotonic()
        try:
            guard.verify(token)
        except errors.UnknownKey:
            rotation.retired.popleft()
        else:
            assert asked - dropped < BOUND_SECONDS
            time.sleep(0.01)
