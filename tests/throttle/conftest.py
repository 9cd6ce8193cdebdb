"""Limiters on the tables of the real engine: each ``make`` is another process with a memory of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.kernel.entropy import SystemEntropy
from service.store.errors import StoreUnavailable
from service.throttle.gate import Gate
from service.throttle.lanes import LaneKeys
from service.throttle.limiter import Limiter
from service.throttle.local_cap import LocalCap
from service.throttle.memory import Memory
from service.throttle.repo import TallyRepo
from tests.support.store import RecordingMeter

KEYS = LaneKeys(bytes(range(32)))


class Fallible:
    """The store's port, until it is told to be away.

    It sends few calls at once: a thousand connections at a time would measure the machine, and time out on a slow one.
    """

    def __init__(self, dynamo):
        self._dynamo = dynamo
        self._turns = asyncio.Semaphore(48)
        self.away = set()

    def __getattr__(self, name):
        async def call(*arguments):
            if name in self.away:
                raise StoreUnavailable("away")
            async with self._turns:
                return await getattr(self._dynamo, name)(*arguments)

        return call


@pytest.fixture
def meter():
    return RecordingMeter()


@pytest.fixture
def dynamo(base, meter):
    return Fallible(replace(base.dynamo, meter=meter))


@pytest.fixture
def make(dynamo, clock):
    """Starts a process: ``make()``."""

    def start(*, capacity=10_000, total=60):
        gate = Gate(
            repo=TallyRepo(dynamo=dynamo, entropy=SystemEntropy()),
            memory=Memory(capacity),
            cap=LocalCap(total=total),
            clock=clock,
        )
        return Limiter(gate=gate)

    return start


@pytest.fixture
def limiter(make):
    return make()


@pytest.fixture
def lanes():
    """Lanes of an attempt: ``lanes("ada", "192.0.2.1/32")``."""

    def of(name="ada", prefix="192.0.2.1/32", device=None, keys=KEYS):
        return keys.sign_in(identity_key=f"e1#{name}", prefix=prefix, device=device)

    return of


@pytest.fixture
def attempt():
    """One attempt from its first look to its outcome; True when a hash was computed, TooManyRequests otherwise."""

    async def run(limiter, lanes, *, right=False):
        async with await limiter.before(lanes) as admission:
            await admission.at_slot()
            await (admission.succeeded() if right else admission.failed())
        return True

    return run


@pytest.fixture
def environ(environ):
    """The service as it is wired by default."""
    return environ | {"KEYTURN_THROTTLE": "on"}
