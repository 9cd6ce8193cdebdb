"""What each step costs the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.tokens.keyring import KeyRing
from service.users.repo import UserRepo
from tests.docs.costs.page import SINGLE_WRITES

LETTERS_LOOKED_FOR = ("query", "outbox")
"""Done four times a minute for letters that other processes left, whatever the load: no part of any step."""


@pytest.fixture
def feed_keys():
    """No revocation feed."""
    return ""


@pytest.fixture
def environ(environ, feed_keys):
    """As it is run: attempts are counted, and mails bounded."""
    return {**environ, "KEYTURN_THROTTLE": "on", "KEYTURN_REVOCATION_FEED_KEYS": feed_keys}


@pytest.fixture
def settled(client):
    """Waits until the mails have left and the events are written: what an answer has caused is part of its price."""
    flow = client.app.state.services.get(ForgotPassword)

    async def wait():
        while under_way := flow.outbox._tasks | flow.audit.table._tasks:
            await asyncio.wait(under_way)

    return wait


@pytest.fixture
def consumed(client):
    """What the store has consumed since it was asked last: units by operation and table, nothing left out.

    DynamoDB takes one unit for a refused write of a small item and does not say so in its answer.
    """
    meter = client.app.state.services.get(UserRepo).dynamo.meter
    before = Counter()

    def since():
        now = Counter()
        for counter, operations in ((meter.store_units, None), (meter.store_failures, SINGLE_WRITES)):
            for sample in counter.collect()[0].samples:
                operation = sample.labels["operation"]
                if sample.name.endswith("_total") and (operations is None or operation in operations):
                    now[operation, sample.labels["table"]] += sample.value
        units = now - before
        before.update(units)
        return dict(units)

    return since


@pytest.fixture
def spent(consumed):
    """What the steps have consumed since it was asked last, as (write units, read units)."""

    def since():
        units = Counter({"writes": 0, "reads": 0})
        for (operation, table), number in consumed().items():
            if (operation, table) != LETTERS_LOOKED_FOR:
                is_write = operation in SINGLE_WRITES or operation == "transact_write_items"
                units["writes" if is_write else "reads"] += number
        return units["writes"], units["reads"]

    return since


@pytest.fixture
def measure(client, clock, spent, settled):
    """Units of each step by its name: ``async with measure(name): ...``; ``seconds`` pass before it.

    ``asked`` are the requests within the steps, by method and path.
    """
    found, asked = {}, set()
    is_open = False

    async def note(request):
        if is_open:
            asked.add((request.method, request.url.path))

    client.event_hooks["request"].append(note)

    @asynccontextmanager
    async def step(name, *, seconds=0):
        nonlocal is_open
        clock.advance(seconds=seconds)
        # The signing keys are read beside a request twice a minute, whatever the load, and are no part of any.
        await client.app.state.services.get(KeyRing).refresh()
        await settled()
        spent()
        is_open = True
        yield
        is_open = False
        await settled()
        found[name] = spent()

    step.found, step.asked = found, asked
    return step
