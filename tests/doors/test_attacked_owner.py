"""Who is attacked sees it in the list of its events; an attacker writes no more into it than the lanes let through."""

from __future__ import annotations

import asyncio

import pytest

from service.signin.flows import SignIn
from service.store.table import Table
from service.throttle.limits import ACCOUNT, MAIL_TO_ADDRESS
from service.users.repo import UserRepo
from tests.doors.doors import WRONG_PASSWORD
from tests.support.accounts import make_person, new_name
from tests.support.live import items_of
from tests.support.people import PASSWORD, bearer, sign_in

AGENT = "an attacker's program"


async def written(scene):
    """How many events stand in the table, once all that were recorded are written."""
    services = scene.client.app.state.services
    table = services.get(SignIn).audit.table
    while table._tasks:
        await asyncio.wait(set(table._tasks))
    return len(await items_of(services.get(UserRepo), Table.AUDIT))


async def login(scene, identifier, password=WRONG_PASSWORD):
    body = {"identifier": identifier, "password": password}
    return await scene.client.post("/v1/login", json=body, headers={"User-Agent": AGENT})


async def events_of(scene, person, tokens):
    await written(scene)
    answer = await scene.client.get(f"/v1/users/{person.user_id}/events", headers=bearer(tokens))
    assert answer.status_code == 200
    return answer.json()["events"]


@pytest.fixture
async def owner(scene):
    person = await make_person(scene.client)
    return person, await sign_in(scene.client, person.email)


async def test_the_owner_sees_each_refused_sign_in_and_that_a_limit_refused_the_others(scene, owner):
    person, tokens = owner
    network = scene.move("203.0.113.77")
    answers = [await login(scene, person.email) for _ in range(ACCOUNT.failures + 4)]
    assert [answer.status_code for answer in answers] == [401] * ACCOUNT.failures + [429] * 4
    found = [event for event in await events_of(scene, person, tokens) if event["user_agent"] == AGENT]
    assert [(event["kind"], event["outcome"]) for event in reversed(found)] == [
        *[("sign_in", "mismatch")] * ACCOUNT.failures,
        ("throttle", "account"),
    ]
    # Each leads to the answer that it tells of; of the refusals by the limit, to the first.
    ids = [answer.headers["x-request-id"] for answer in answers[: ACCOUNT.failures + 1]]
    assert [event["request_id"] for event in reversed(found)] == ids
    assert {event["address"] for event in found} == {"203.0.113.0/24"}
    assert network not in str(found)


async def test_log_flooding_an_account_gets_one_event_for_each_wait(scene, owner):
    person, tokens = owner
    for _ in range(3):
        # Ten at first, and then one for each time that has been waited for.
        for _ in range(ACCOUNT.failures + 5):
            answer = await login(scene, person.email)
            scene.move()
        assert answer.status_code == 429
        scene.clock.advance(seconds=int(answer.headers["retry-after"]))
    found = [
        event["kind"] for event in reversed(await events_of(scene, person, tokens)) if event["user_agent"] == AGENT
    ]
    assert found == ["sign_in"] * ACCOUNT.failures + ["throttle"] + ["sign_in", "throttle"] * 2


async def test_enumeration_what_is_written_after_a_refusal_is_as_much_for_a_name_that_is_nobodys(scene, owner):
    person, _ = owner
    more = {}
    for name in (person.email, person.username, f"{new_name()}@example.com", new_name()):
        before, counts = await written(scene), []
        for _ in range(ACCOUNT.failures + 3):
            await login(scene, name)
            counts.append(await written(scene) - before)
        more[name] = counts
        scene.clock.advance(seconds=3 * ACCOUNT.window_seconds)
        scene.move()
    (counts,) = {tuple(counts) for counts in more.values()}
    assert counts == (*range(1, ACCOUNT.failures + 2), *[ACCOUNT.failures + 1] * 2)


async def test_enumeration_the_right_password_of_a_disabled_account_is_limited_like_a_wrong_one(scene, owner, keyturn):
    person, _ = owner
    assert (await keyturn("users", "disable", person.email))[0] == 0
    before = await written(scene)
    for name, password in ((person.email, PASSWORD), (f"{new_name()}@example.com", PASSWORD)):
        statuses = [(await login(scene, name, password)).status_code for _ in range(ACCOUNT.failures + 1)]
        assert statuses == [401] * ACCOUNT.failures + [429]
        assert await written(scene) - before == ACCOUNT.failures + 1
        before = await written(scene)


@pytest.mark.parametrize("path", ["/v1/password/forgot", "/v1/email/resend", "/v1/register"])
async def test_log_flooding_what_is_mailed_is_an_event_until_the_quota_is_used_up(scene, owner, path):
    person, tokens = owner
    counts = {}
    for email in (person.email, f"{new_name()}@example.com"):
        before = await written(scene)
        body = {"email": email, **({"password": PASSWORD} if path == "/v1/register" else {})}
        for _ in range(MAIL_TO_ADDRESS.burst + 3):
            assert (await scene.client.post(path, json=body)).status_code == 202
            scene.move()
        counts[email] = await written(scene) - before
    assert set(counts.values()) == {MAIL_TO_ADDRESS.burst}, "as many for an address without an account"
    kinds = {"/v1/password/forgot": ("password_forgot", "mailed"), "/v1/register": ("register", "email_taken")}
    if path in kinds:
        found = [(event["kind"], event["outcome"]) for event in await events_of(scene, person, tokens)]
        assert found.count(kinds[path]) == MAIL_TO_ADDRESS.burst
