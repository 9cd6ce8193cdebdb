"""The throttle while the store fails: who guesses gains little, and its owner gets in afterwards."""

from __future__ import annotations

import random

import pytest

from service.throttle.limits import ACCOUNT
from tests.support.journeys.doors import WRONG
from tests.support.journeys.stage import login
from tests.support.live import LONG
from tests.support.people import PASSWORD
from tests.support.store_faults import CONFLICT, FINAL, FOREIGN, NOT_SERVED, SERVED
from tests.support.store_proxy import Span

GUESSES = 60
SLOTS = 2


@pytest.mark.parametrize("seed", range(100 if LONG else 3))
async def test_wrong_passwords_are_bounded_although_the_store_fails_at_any_call(open_world, seed):
    chance = random.Random(seed)
    faults = (*NOT_SERVED, *FOREIGN, *FINAL, *SERVED, CONFLICT)
    async with open_world({"KEYTURN_HASH_SLOTS": str(SLOTS)}) as world:
        person = world.place()
        await person.signed_up()
        statuses = []
        for _ in range(GUESSES):
            world.proxy.inject(chance.choice(faults), at=chance.randrange(4), span=chance.choice(list(Span)))
            statuses.append((await world.send(login(person.email, 401, password=WRONG))).status_code)
            world.proxy.clear()
        assert set(statuses) <= {401, 429, 503}
        assert statuses.count(401) <= ACCOUNT.failures + ACCOUNT.when_away + SLOTS
        # Whoever lost the outage's count waits as after any guessing; then the owner is let in.
        world.clock.advance(seconds=3 * ACCOUNT.window_seconds)
        assert (await world.send(login(person.email, 200, password=PASSWORD))).status_code == 200
