"""Each door that takes a secret, hammered over HTTP: what it looks at has an end, for that person and nobody else."""

from __future__ import annotations

import pytest

from service.throttle.limits import ADDRESS
from tests.doors.doors import COUNTED_BY_MAIL, LANED, LoginByAddress, PasswordChange, VerifyCode
from tests.support.accounts import new_name
from tests.support.answers import is_problem
from tests.support.people import PASSWORD


@pytest.mark.parametrize("door", LANED, ids=lambda door: door.__name__)
async def test_a_door_with_a_lane_looks_at_ten_wrong_secrets_and_then_at_none(door, scene):
    mine, theirs = await door.of(scene), await door.of(scene)
    looked_at = mine.evaluated()
    for _ in range(door.limit.failures):
        assert is_problem(await mine.guess(), *door.wrong)
    looked_at = mine.evaluated() - looked_at
    assert looked_at == door.limit.failures
    looked_at = mine.evaluated()
    scene.move()
    for attempt in (mine.guess, mine.guess, mine.enter):
        refused = await attempt()
        assert is_problem(refused, 429, "too_many_requests")
        assert refused.headers["retry-after"] == str(door.wait_seconds)
    assert mine.evaluated() == looked_at
    assert scene.throttled(door.limit.name) == 1, "one event for each refusal, or none at all"
    assert (await theirs.enter()).status_code == door.right

    scene.clock.advance(seconds=door.wait_seconds - 0.001)
    assert is_problem(await mine.enter(), 429, "too_many_requests")
    scene.clock.advance(seconds=0.001)
    assert (await mine.enter()).status_code == door.right


@pytest.mark.parametrize("door", COUNTED_BY_MAIL, ids=lambda door: door.__name__)
async def test_a_mailed_code_may_be_tried_ten_times_and_the_link_and_the_next_mail_still_work(door, scene):
    mine, theirs = await door.of(scene), await door.of(scene)
    for _ in range(door.limit.failures):
        assert is_problem(await mine.guess(), *door.wrong)
    assert is_problem(await mine.enter(), *door.wrong)
    assert (await theirs.enter()).status_code == door.right
    assert (await mine.follow_the_link()).status_code == door.right

    other = await door.of(scene)
    for _ in range(door.limit.failures + 1):
        assert is_problem(await other.guess(), *door.wrong)
    await other.ask()
    assert (await other.enter()).status_code == door.right


async def test_enumeration_names_that_are_nobodys_are_limited_like_others(scene):
    known = await LoginByAddress.of(scene)
    for identifier in (known.identifier, f"{new_name()}@example.com", new_name(), f"{new_name()} is no name!"):
        body = {"identifier": identifier, "password": "wrong wrong wrong wrong"}
        hashes = scene.hashes()
        answers = [await scene.client.post("/v1/login", json=body) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        assert {answer.headers.get("retry-after") for answer in answers} == {None, "30"}
        assert scene.hashes() - hashes == 10


async def test_enumeration_addresses_where_no_sign_up_waits_are_limited_like_others(scene):
    waits = await VerifyCode.of(scene)
    for email in (waits.email, f"{new_name()}@example.com"):
        body = {"email": email, "code": "22222222"}
        answers = [await scene.client.post("/v1/email/verify", json=body) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2


async def test_other_spellings_of_a_name_are_the_same_lane(scene):
    known = await LoginByAddress.of(scene)
    spellings = [known.person.email, known.person.email.upper(), known.person.email.replace("example", "EXAMPLE")]
    bodies = [{"identifier": spellings[n % 3], "password": "wrong wrong wrong wrong"} for n in range(11)]
    statuses = [(await scene.client.post("/v1/login", json=body)).status_code for body in bodies]
    assert statuses == [401] * 10 + [429]


async def test_failures_at_one_door_close_no_other(scene):
    change = await PasswordChange.of(scene)
    for _ in range(change.limit.failures + 1):
        refused = await change.guess()
    assert refused.status_code == 429
    body = {"identifier": change.person.email, "password": PASSWORD}
    assert (await scene.client.post("/v1/login", json=body)).status_code == 200


async def test_a_network_that_fails_at_many_names_is_refused_at_every_door_and_invents_itself_no_other(scene):
    network = scene.networks()
    victims = [await door.of(scene) for door in LANED]
    for number in range(ADDRESS.failures):
        # The balancer appends; whatever stands before its entry is the client's own invention.
        scene.move(f"203.0.113.{number}, {network}")
        body = {"identifier": f"{new_name()}@example.com", "password": "wrong wrong wrong wrong"}
        assert (await scene.client.post("/v1/login", json=body)).status_code == 401
    looked_at = scene.hashes(), scene.calls("onetime")
    for victim in victims:
        refused = await victim.enter()
        assert is_problem(refused, 429, "too_many_requests"), victim.route
        assert int(refused.headers["retry-after"]) > 0
    assert (scene.hashes(), scene.calls("onetime")) == looked_at
    scene.move()
    for victim in victims:
        assert (await victim.enter()).status_code == victim.right, victim.route
