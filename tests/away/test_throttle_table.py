"""The limiter's table alone is away, and every other answers: few attempts for each, then 429; no mail uncounted."""

from __future__ import annotations

import secrets

import pytest

from service.settings import load
from service.throttle.limits import ACCOUNT, ADDRESS, CODE
from service.throttle.local_cap import LocalCap
from tests.doors.doors import WRONG_PASSWORD, LoginByAddress, PasswordChange, ResetCode, VerifyCode
from tests.doors.scene import Scene
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_problem, shown
from tests.support.people import bearer, refresh, register, sign_in
from tests.support.store_faults import Fault, refuse
from tests.support.store_proxy import Span

DENIED = Fault(
    "the throttle's table refuses",
    lambda exchange: refuse(exchange, 400, "AccessDeniedException"),
    lambda call: b"-throttle" in call.sent.body,
)


@pytest.fixture
async def client(proxy, environ, open_app):
    async with open_app(load(environ)) as client:
        yield client


@pytest.fixture
def scene(client, mailbox, clock):
    def network():
        return "10." + ".".join(str(byte) for byte in secrets.token_bytes(3))

    scene = Scene(client=client, mailbox=mailbox, clock=clock, networks=network)
    scene.move()
    return scene


@pytest.fixture
def away(proxy):
    """Takes the table away; ``away.clear()`` brings it back."""

    def take():
        proxy.inject(DENIED, at=0, span=Span.REST)
        return proxy

    return take


async def hammer(door, times, enter=False):
    answers = [await (door.enter() if enter else door.guess()) for _ in range(times)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("kind", [LoginByAddress, VerifyCode, PasswordChange], ids=lambda kind: kind.__name__)
async def test_a_door_lets_three_attempts_a_minute_through_and_its_owner_among_them(scene, away, kind):
    door = await kind.of(scene)
    away()
    looked_at = door.evaluated()
    assert await hammer(door, 6) == [kind.wrong[0]] * CODE.when_away + [429] * 3
    assert await hammer(door, 1, enter=True) == [429]
    assert door.evaluated() - looked_at == CODE.when_away
    scene.clock.advance(seconds=60)
    assert await hammer(door, 1, enter=True) == [kind.right]


async def test_a_network_gets_ten_attempts_a_minute_and_a_process_sixty(scene, away):
    away()

    async def tries(times, *, network=None):
        statuses = []
        for _ in range(times):
            scene.move(network)
            body = {"identifier": f"{new_name()}@example.com", "password": WRONG_PASSWORD}
            statuses.append((await scene.client.post("/v1/login", json=body)).status_code)
        return statuses

    hashes = scene.hashes()
    assert await tries(13, network=scene.networks()) == [401] * ADDRESS.when_away + [429] * 3
    left = LocalCap().total - ADDRESS.when_away
    assert await tries(left + 3) == [401] * left + [429] * 3
    assert scene.hashes() - hashes == LocalCap().total


async def test_failures_of_the_outage_count_when_the_table_is_back(scene, away):
    door = await LoginByAddress.of(scene)
    table = away()
    await hammer(door, 5)
    table.clear()
    scene.clock.advance(seconds=60)
    assert await hammer(door, 8) == [401] * (ACCOUNT.failures - ACCOUNT.when_away) + [429]


async def test_no_mail_goes_out_that_cannot_be_counted_and_the_answers_tell_nothing(scene, away):
    person, nobody = await make_person(scene.client), f"{new_name()}@example.com"
    away()
    answers = [
        await scene.client.post("/v1/password/forgot", json={"email": person.email}),
        await scene.client.post("/v1/password/forgot", json={"email": nobody}),
        await scene.client.post("/v1/email/resend", json={"email": nobody}),
        await register(scene.client, nobody),
        await register(scene.client, person.email),
    ]
    assert all(is_problem(answer, 503, "unavailable") for answer in answers)
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert scene.mailbox.all() == []


async def test_what_needs_no_throttle_goes_on(scene, away):
    person = await make_person(scene.client)
    tokens = await sign_in(scene.client, person.email)
    reset = await ResetCode.of(scene)
    away()
    assert (await refresh(scene.client, tokens["refresh_token"])).status_code == 200
    assert (await scene.client.get("/v1/me", headers=bearer(tokens))).status_code == 200
    assert (await reset.enter()).status_code == reset.right
