"""A client that hangs up at any await of its request: no half state, and nothing of the service is used up."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.cases import Cases
from tests.support.hang_up import hang_up_at
from tests.support.journeys.account import ACCOUNT, CLOSE, RENAME
from tests.support.journeys.book import STRUCK
from tests.support.journeys.stage import login
from tests.support.live import LONG, by_turns
from tests.support.store_faults import SERVED_SILENCE, SILENCE

WRITING = [journey for journey in STRUCK if journey not in ACCOUNT or journey in (CLOSE, RENAME)]
MOST_AWAITS = 60
pytestmark = pytest.mark.timeout(3600 if LONG else 300)


async def hang_up(world, journey, at):
    """Whether there was an await to hang up at."""
    person = world.place()
    request, known = await journey.prepare(person)
    await world.ready(journey)
    hung_up = await hang_up_at(world.send(request), at)
    await world.settle()
    if hung_up:
        await journey.check(person, known, False)
    return hung_up


async def hang_up_during_call(world, journey, fault, at):
    """Whether there was such a call."""
    person = world.place()
    request, known = await journey.prepare(person)
    await world.ready(journey)
    world.proxy.inject(fault, at=at)
    sending, reached = asyncio.create_task(world.send(request)), asyncio.create_task(world.proxy.reached.wait())
    await asyncio.wait([sending, reached], return_when=asyncio.FIRST_COMPLETED)
    hung_up = not sending.done()
    for task in (sending, reached):
        task.cancel()
    await asyncio.gather(sending, reached, return_exceptions=True)
    world.proxy.clear()
    await world.settle()
    if hung_up:
        await journey.check(person, known, False)
    return hung_up


async def still_serves(world):
    """No hashing slot, no connection and no place in a lane was kept by those who hung up."""
    person = world.place()
    await person.signed_up()
    answer = await world.send(login(person.email, 200))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("journey", WRITING, ids=str)
async def test_hanging_up_at_any_await_leaves_no_half_state(open_world, journey):
    cases = Cases()
    async with open_world(journey.environ) as world:
        for at in by_turns(journey.name, MOST_AWAITS):
            hung_up = True
            with cases.case(f"await {at}"):
                hung_up = await hang_up(world, journey, at)
            if not hung_up:
                break
        await still_serves(world)
    cases.verdict()
    assert 0 < len(cases.names) < len(by_turns(journey.name, MOST_AWAITS))


@pytest.mark.skipif(
    not LONG, reason="the awaits are tried by the test above; KEYTURN_LONG=1 tries both sides of each call"
)
@pytest.mark.parametrize("fault", [SILENCE, SERVED_SILENCE], ids=str)
@pytest.mark.parametrize("journey", WRITING, ids=str)
async def test_hanging_up_before_or_after_any_call_was_served_leaves_no_half_state(open_world, journey, fault):
    cases = Cases()
    async with open_world(journey.environ) as world:
        for at in range(MOST_AWAITS):
            hung_up = True
            with cases.case(f"call {at}"):
                hung_up = await hang_up_during_call(world, journey, fault, at)
            if not hung_up:
                break
        await still_serves(world)
    cases.verdict()
