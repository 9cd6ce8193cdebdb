"""Known and unknown cannot be told apart at register, sign in, forgot and resend."""

from __future__ import annotations

import asyncio

import pytest

from service.settings import load
from tests.support.cases import Cases
from tests.support.live import client_of
from tests.timing.doors import DOORS, OTHERS, ROUND, SIGN_IN, Visitors, new_address, pairs, with_account, with_sign_up
from tests.timing.judge import told_apart_by
from tests.timing.statistic import compare

COUNT, NAMES = 500, 20
OTHER_COUNT, OTHER_NAMES = 40, 5
REAL_COUNT, REAL_NAMES = 32, 8
REAL_BOUND_SHARE = 0.2
BEAT_COUNT, BEAT_NAMES = 20, 5
BEAT_SECONDS = 0.15

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("name", DOORS)
async def test_nobody_can_tell_the_known_from_the_unknown(client, clock, name):
    """By status, headers, bytes, calls and time, with the limits on and the real beat; statistic.py has the rule."""
    found = told_apart_by(await pairs(client, DOORS[name], clock=clock, count=COUNT, names=NAMES))
    assert not found


async def test_nor_can_they_whatever_somebody_is_known_by(client, clock):
    cases = Cases()
    for name, door in OTHERS.items():
        with cases.case(name):
            found = told_apart_by(await pairs(client, door, clock=clock, count=OTHER_COUNT, names=OTHER_NAMES))
            assert not found, found
    cases.verdict()


async def timed(client, door, people, *, count):
    """Milliseconds of each answer over HTTP, in pairs: of the known, and of the unknown. Each comes by a proxy."""
    loop, visitors, found = asyncio.get_running_loop(), Visitors(), []
    nobody = [new_address() for _ in people]
    for number in range(count):
        pair = []
        for name in (people[number % len(people)], nobody[number % len(people)]):
            headers, began = {"X-Forwarded-For": visitors.next()}, loop.time()
            answer = await client.post(door.path, json=door.body(name), headers=headers)
            pair.append((loop.time() - began) * 1000)
            assert answer.status_code in {202, 401}, answer.text
        found.append(tuple(pair))
    return found


class TestOverHttp:
    """A worker of its own, on the system's clock, behind a proxy."""

    @pytest.fixture
    def environ(self, environ):
        hashes = {"KEYTURN_ARGON2_MEMORY_KIB": "19456", "KEYTURN_ARGON2_TIME_COST": "2"}
        return environ | hashes | {"KEYTURN_TRUSTED_PROXIES": "1"}

    @pytest.fixture
    async def make_people(self, store, open_app, environ):
        async def make(count, make_known=with_account):
            async with open_app(load(environ)) as client:
                return [await make_known(client) for _ in range(count)]

        return make

    async def test_with_the_real_cost_of_a_hash_an_unknown_name_takes_as_long_without_the_beat(
        self, workers, make_people
    ):
        worker = await workers.start(KEYTURN_ANSWER_BEAT_MS="0")
        async with client_of(worker) as client:
            await timed(client, SIGN_IN, await make_people(2), count=2)
            compared = compare(await timed(client, SIGN_IN, await make_people(REAL_NAMES), count=REAL_COUNT))
        assert REAL_COUNT <= REAL_NAMES * ROUND
        assert not compared.is_leak(share=REAL_BOUND_SHARE), compared

    async def test_an_answer_of_each_door_leaves_on_the_beat(self, workers, make_people):
        worker = await workers.start()
        people, sign_ups = await make_people(BEAT_NAMES), await make_people(BEAT_NAMES, with_sign_up)
        async with client_of(worker) as client:
            await timed(client, DOORS["forgot"], people[:1], count=2)
            found = await asyncio.gather(
                *(
                    timed(client, door, sign_ups if name == "resend" else people, count=BEAT_COUNT)
                    for name, door in DOORS.items()
                )
            )
        for pairs_ms in found:
            assert min(map(min, pairs_ms)) >= BEAT_SECONDS * 1000
            assert not compare(pairs_ms).is_leak(share=0.05)
