"""Who has signed in here before is not kept out by what strangers try; a device is known to its account alone."""

from __future__ import annotations

import pytest

from service.throttle.device import LIFE_SECONDS
from service.throttle.device_headers import DEVICE_COOKIE, DEVICE_HEADER
from service.throttle.limits import ACCOUNT, DEVICE
from tests.doors.doors import WRONG_PASSWORD, LoginByAddress
from tests.support.accounts import make_person
from tests.support.people import PASSWORD

SAME_SITE = {"Origin": "http://localhost:8000", "X-Keyturn-Request": "1"}


async def login(scene, person, password=PASSWORD, *, headers=None, **fields):
    body = {"identifier": person.email, "password": password, **fields}
    return await scene.client.post("/v1/login", json=body, headers=headers)


async def device_of(scene, person):
    return {DEVICE_HEADER: (await login(scene, person)).headers[DEVICE_HEADER]}


@pytest.fixture
async def besieged(scene):
    """An account that a stranger has just locked for other strangers, and its owner's device."""
    door = await LoginByAddress.of(scene)
    device = await device_of(scene, door.person)
    scene.move()
    for _ in range(ACCOUNT.failures + 1):
        answer = await door.guess()
    assert answer.status_code == 429
    return door.person, device


async def test_the_owner_signs_in_on_a_known_device_while_strangers_are_refused(scene, besieged):
    person, device = besieged
    assert (await login(scene, person)).status_code == 429
    assert (await login(scene, person, headers=device)).status_code == 200
    assert (await login(scene, person)).status_code == 429, "a sign-in of the owner has opened the door to others"


async def test_in_a_browser_the_device_is_known_by_its_cookie(scene):
    door = await LoginByAddress.of(scene)
    first = await login(scene, door.person, headers=SAME_SITE, transport="cookie")
    assert first.status_code == 200, first.text
    (cookie,) = [line for line in first.headers.get_list("set-cookie") if line.startswith(DEVICE_COOKIE)]
    scene.client.cookies.clear()
    for _ in range(ACCOUNT.failures + 1):
        await door.guess()
    headers = {**SAME_SITE, "Cookie": cookie.partition(";")[0]}
    assert (await login(scene, door.person, headers=SAME_SITE, transport="cookie")).status_code == 429
    assert (await login(scene, door.person, headers=headers, transport="cookie")).status_code == 200


async def test_a_device_of_another_account_or_of_nobodys_making_is_a_strangers(scene, besieged):
    person, device = besieged
    foreign = await device_of(scene, await make_person(scene.client))
    token = device[DEVICE_HEADER]
    # Within the tag of the address; the username has another.
    forged = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    for headers in (foreign, {DEVICE_HEADER: forged}, {DEVICE_HEADER: "x"}, {DEVICE_HEADER: ""}):
        assert (await login(scene, person, headers=headers)).status_code == 429
    doubled = [(DEVICE_HEADER, token), (DEVICE_HEADER, token)]
    assert (await login(scene, person, headers=doubled)).status_code == 429


async def test_a_device_that_has_not_been_seen_for_its_life_is_a_strangers(scene):
    door = await LoginByAddress.of(scene)
    device = await device_of(scene, door.person)
    scene.clock.advance(seconds=LIFE_SECONDS)
    for _ in range(ACCOUNT.failures + 1):
        await door.guess()
    assert (await login(scene, door.person, headers=device)).status_code == 429


async def test_a_stolen_device_token_is_worth_ten_guesses_and_then_stands_in_the_accounts_lane(scene, besieged):
    person, device = besieged
    hashes = scene.hashes()
    statuses = [(await login(scene, person, WRONG_PASSWORD, headers=device)).status_code for _ in range(12)]
    assert statuses == [401] * DEVICE.failures + [429] * 2
    assert scene.hashes() - hashes == DEVICE.failures
    assert (await login(scene, person, headers=device)).status_code == 429
