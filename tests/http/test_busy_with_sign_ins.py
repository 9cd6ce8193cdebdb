"""Others are served while sign-ins want more than all cores (docs/adr/0016): hashing has threads, and few of them."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time

import pytest

from tests.support.people import bearer, sign_in

SLOTS = 2
AT_ONCE = 8
ASKED = 40


@pytest.fixture
def environ(environ):
    """With hashes so dear that everything else is little beside one."""
    dear = {"KEYTURN_ARGON2_MEMORY_KIB": "19456", "KEYTURN_ARGON2_TIME_COST": "6", "KEYTURN_HASH_SLOTS": str(SLOTS)}
    return {**environ, **dear}


async def timed(call):
    began = time.monotonic()
    await call
    return time.monotonic() - began


class Busy:
    """Sign-ins in a closed loop; when it begins to count, every slot is taken and others wait."""

    def __init__(self, client, identifier):
        self._client, self._identifier, self._ended = client, identifier, False
        self.seconds = []

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(self._again_and_again()) for _ in range(AT_ONCE)]
        while len(self.seconds) < SLOTS:
            assert not any(task.done() for task in self._tasks)
            await asyncio.sleep(0.01)
        self.seconds.clear()
        return self

    async def __aexit__(self, *_):
        self._ended = True
        await asyncio.gather(*self._tasks)

    async def _again_and_again(self):
        while not self._ended:
            self.seconds.append(await timed(sign_in(self._client, self._identifier)))


@pytest.mark.timeout(120)
async def test_who_is_signed_in_does_not_wait_in_the_line_of_those_who_sign_in(client, ada, tokens):
    threads_before, most_threads, light = set(threading.enumerate()), 0, []
    async with Busy(client, ada.email) as busy:
        for _ in range(ASKED):
            light.append(await timed(client.get("/v1/me", headers=bearer(tokens))))
            most_threads = max(most_threads, len(set(threading.enumerate()) - threads_before))
            await asyncio.sleep(0.002)
    # How often a sign-in ends: half a hash with two slots, a whole one in the loop, and there two stand in the way.
    # Both in one run, since a slow machine slows both.
    between_seconds = statistics.median(busy.seconds) / AT_ONCE
    assert statistics.median(light) < between_seconds
    assert statistics.quantiles(light, n=10)[-1] < 2 * between_seconds
    assert most_threads <= SLOTS
