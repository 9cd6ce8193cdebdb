"""A clock that jumps in the middle of a request, and is set right after it: no door opens, and nobody is locked out.

The bounds that rest on clocks (grace, idle life, what a proof is good for) hold as far as clocks agree within
``KEYTURN_CLOCK_SKEW_SECONDS``. Whatever they say there is no error of ours, no door opens, no name and no person is
lost, and nothing revoked works again once the clock is right.
"""

from __future__ import annotations

from zlib import crc32

import pytest

from tests.support.cases import Cases
from tests.support.journeys.book import STRUCK
from tests.support.journeys.doors import DOORS
from tests.support.journeys.recovery import new_address
from tests.support.journeys.stage import NEW_PASSWORD, Command, login
from tests.support.live import LONG, by_turns
from tests.support.people import PASSWORD
from tests.support.store_faults import Fault
from tests.support.strike import calls_of

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86_400
JUMPS = [SECOND, -SECOND, MINUTE, -MINUTE, HOUR, -HOUR, DAY, -DAY, 400 * DAY]
QUICK_JUMPS = [-MINUTE, HOUR, -DAY, 400 * DAY]
"""One for each call that is tried, in turn."""
SURE = {400, 401, 404, 409, 429, 503}
pytestmark = pytest.mark.timeout(3600 if LONG else 300)


def jump(clock, seconds):
    """The call passes, and while it is under way the clock is set anew."""

    async def do(exchange):
        clock.set_by(seconds)
        await exchange.answer(await exchange.serve())

    return Fault(f"{seconds} s", do)


async def strike(world, journey, at, seconds):
    person = world.place()
    request, known = await journey.prepare(person)
    await world.ready(journey)
    world.proxy.inject(jump(world.clock, seconds), at=at)
    answer = await world.send(request)
    await world.settle()
    struck = bool(world.proxy.struck)
    world.proxy.clear()
    assert answer.status_code in {request.status, *SURE}, answer.text
    world.clock.set_right()
    if journey in DOORS:
        assert not answer.is_success, "a door was opened"
        await journey.check(person, known, False)
    elif not isinstance(request, Command):
        await gets_in(world, person)
    return struck


async def gets_in(world, person):
    """By the throttled service itself: with the password that is right now, or by beginning anew."""
    known = [(person.email, PASSWORD), (person.email, NEW_PASSWORD), (new_address(person), PASSWORD)]
    for email, password in known:
        answer = await world.send(login(email, 200, password=password))
        assert answer.status_code in {200, 401}, answer.text
        if answer.status_code == 200:
            return
    await person.make_account()


@pytest.mark.parametrize("journey", STRUCK, ids=str)
async def test_a_clock_that_jumps_at_any_call_opens_no_door_and_locks_nobody_out(open_world, journey):
    cases = Cases()
    async with open_world(journey.environ) as world:
        calls = await calls_of(world, journey)
        for at in by_turns(journey.name, len(calls)):
            turn = crc32(journey.name.encode()) + at
            for seconds in JUMPS if LONG else [QUICK_JUMPS[turn // 2 % len(QUICK_JUMPS)]]:
                with cases.case(f"{seconds} s at call {at}"):
                    await strike(world, journey, at, seconds)
    cases.verdict()
