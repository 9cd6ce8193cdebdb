"""Known and unknown cannot be told apart at register, sign in, forgot and resend."""

from __future__ import annotations

import asyncio

import pytest

from service.settings import load
from tests.support.live import client_of
from tests.timing.doors import DOORS, interleaved, knock, new_address, with_account
from tests.timing.judge import told_apart_by
from tests.timing.statistic import compare

COUNT = 500
KNOWN = 20
REAL_COUNT = 30
REAL_BOUND_SHARE = 0.2
BEAT_SECONDS = 0.15
RESTED_MS = 20 * 60 * 1000

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def tools(clock, calls, settled):
    return {"clock": clock, "calls": calls, "settled": settled}


@pytest.mark.parametrize("name", DOORS)
async def test_nobody_can_tell_the_known_from_the_unknown(client, tools, name):
    """By status, headers, bytes, calls and time. What chance makes of a loaded machine it does not make twice."""
    found = []
    for seed in (1, 2):
        samples = await interleaved(client, DOORS[name], count=COUNT, known=KNOWN, seed=seed, **tools)
        if not (found := told_apart_by(*samples)):
            return
    raise AssertionError(found)


class TestWithLimits:
    @pytest.fixture
    def environ(self, environ):
        return environ | {"KEYTURN_THROTTLE": "on"}

    @pytest.mark.parametrize("name", DOORS)
    async def test_where_attempts_are_counted_the_calls_tell_nothing_either(self, client, tools, name):
        seen = set()
        for number, is_known in enumerate((True, False) * 3):
            email = await DOORS[name].make_known(client) if is_known else new_address()
            # Neither the network nor the mailbox has had anything for a while.
            tools["clock"].ahead_ms += RESTED_MS
            sample = await knock(client, DOORS[name], email, peer=f"198.51.100.{number}", **tools)
            seen.add((sample.seen, tuple(sorted(sample.calls_before))))
        assert len(seen) == 1


async def timed(client, door, people, *, count):
    """Seconds of each answer over HTTP, interleaved: of the known, and of the unknown."""
    loop, found = asyncio.get_running_loop(), {True: [], False: []}
    for is_known in [True, False] * count:
        email = people[len(found[True]) % len(people)] if is_known else new_address()
        began = loop.time()
        answer = await client.post(door.path, json=door.body(email))
        found[is_known].append((loop.time() - began) * 1000)
        assert answer.status_code in {202, 401}
    return found[True], found[False]


class TestOverHttp:
    """A worker of its own, on the system's clock."""

    @pytest.fixture
    def environ(self, environ):
        return environ | {"KEYTURN_ARGON2_MEMORY_KIB": "19456", "KEYTURN_ARGON2_TIME_COST": "2"}

    @pytest.fixture
    async def people(self, store, open_app, environ):
        async with open_app(load(environ)) as client:
            return [await with_account(client) for _ in range(4)]

    async def test_with_the_real_cost_of_a_hash_an_unknown_name_takes_as_long_without_the_beat(self, workers, people):
        worker = await workers.start(KEYTURN_ANSWER_BEAT_MS="0")
        async with client_of(worker) as client:
            await timed(client, DOORS["sign in"], people, count=2)
            compared = compare(*await timed(client, DOORS["sign in"], people, count=REAL_COUNT))
        assert not compared.is_leak(share=REAL_BOUND_SHARE), compared

    async def test_an_answer_leaves_on_the_beat(self, workers, people):
        worker = await workers.start()
        async with client_of(worker) as client:
            await timed(client, DOORS["forgot"], people, count=2)
            known, unknown = await timed(client, DOORS["forgot"], people, count=15)
        assert min([*known, *unknown]) >= BEAT_SECONDS * 1000
        assert not compare(known, unknown).is_leak(share=0.05)
