"""The feed's door and what it answers, on the real engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from service.kernel.ids import SessionId, id_text
from service.revocations.flows import Feed
from service.revocations.log import RevocationLog
from service.store.cursor import Cursors
from service.users.repo import UserRepo
from tests.conftest import KEY
from tests.support.accounts import make_person
from tests.support.answers import is_problem
from tests.support.clock import ManualClock
from tests.support.feed import FEED_KEY, FEED_KEYS, OLD_KEY, WINDOWS, Poller
from tests.support.people import bearer, sign_in


def sid(number):
    return SessionId(number.to_bytes(16))


@pytest.fixture
def environ(environ):
    return {**environ, "KEYTURN_REVOCATION_FEED_KEYS": FEED_KEYS}


@pytest.fixture
def clock(clock):
    """Each test in a window of its own: the table is shared."""
    clock.advance(seconds=1000 * next(WINDOWS))
    return clock


@pytest.fixture
def poller(client):
    return Poller(client)


@pytest.fixture
def log(client, clock):
    feed = client.app.state.services.get(Feed)
    return RevocationLog(repo=feed.window.repo, life=feed.life, clock=clock, is_on=True)


async def end(log, *numbers):
    for number in numbers:
        await log.session_ends(sid(number))


async def test_who_polls_hears_each_end_and_is_told_when_there_is_nothing_new(poller, log, clock):
    (first,) = await poller.poll()
    assert (first["iss"], first["iat"], first["sessions"], first["users"]) == (
        "http://localhost:8000",
        clock.ms // 1000,
        [],
        [],
    )
    await end(log, 1)
    clock.advance(seconds=1)
    (second,) = await poller.poll()
    assert second["sessions"] == [[id_text(sid(1)), clock.ms // 1000 - 1]]
    for _ in range(30):
        clock.advance(seconds=1)
        await poller.poll()
    # For 14 seconds it is told again, since earlier entries might still have appeared; then no more.
    assert poller.statuses[-10:] == [304] * 10
    assert poller.sessions == {id_text(sid(1))}


async def test_a_statement_says_how_long_it_matters(poller):
    (statement,) = await poller.poll()
    assert (statement["retain"], statement["settle"], statement["forgotten"]) == (354, 24, None)


async def test_the_feed_comes_in_pages_and_none_is_lost_between_them(client, poller, log, clock):
    client.app.state.services.get(Feed).page_size = 10
    await end(log, *range(25))
    statements = await poller.poll()
    assert [len(one["sessions"]) for one in statements] == [10, 10, 5]
    assert [one["more"] for one in statements] == [True, True, False]
    assert len(poller.sessions) == 25


async def test_an_entry_that_appears_while_pages_are_read_comes_with_the_next_poll(client, poller, log, clock):
    """Its writer was slow: its place is before pages that were already handed out."""
    client.app.state.services.get(Feed).page_size = 2
    await end(log, 1, 2, 3)
    first = await poller.verified(await poller.ask())
    clock.advance(seconds=2)
    slow = ManualClock(ms=clock.ms - 10_000)
    await replace(log, clock=slow).session_ends(sid(9))
    poller.cursor = first["next"]
    await poller.poll()
    await poller.poll()
    assert id_text(sid(9)) in poller.sessions


async def test_pollers_of_two_processes_hear_the_same_whichever_they_ask(client, open_app, settings, log, clock):
    async with open_app(settings) as other:
        poller = Poller(client)
        for number in range(40):
            poller.client = (client, other)[number % 2]
            await poller.poll()
            await end(log, number)
            clock.advance(seconds=1)
        await poller.poll()
    assert poller.sessions == {id_text(sid(number)) for number in range(40)}


async def test_many_pollers_of_one_place_cost_one_reading_and_one_signature(client, poller, clock):
    meter = client.app.state.services.get(UserRepo).dynamo.meter
    answers = {(await poller.ask()).text for _ in range(50)}
    assert len(answers) == 1
    readings = [one.value for one in meter.store_units.collect()[0].samples if one.labels["table"] == "revocations"]
    # Four partitions of one bucket of time, or of two where the window began in the one before.
    assert readings[0] in {4, 8}


async def test_an_answer_is_kept_by_nobody_else_and_for_a_second(poller):
    answer = await poller.ask()
    assert answer.headers["cache-control"] == "private, max-age=1"
    assert "Authorization" in answer.headers["vary"]
    assert answer.headers["content-type"] == "application/revocations+jwt"
    again = await poller.ask(**{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


async def test_each_key_of_the_list_opens_the_door(poller):
    assert [(await poller.ask(key=key)).status_code for key in (FEED_KEY, OLD_KEY)] == [200, 200]


async def test_whoever_has_no_key_hears_nothing(client):
    refused = {
        (): "missing_token",
        (f"Basic {FEED_KEY}",): "missing_token",
        (f"Bearer {KEY}",): "invalid_token",
        (f"Bearer 2:{FEED_KEY}",): "invalid_token",
        (f"Bearer {FEED_KEY[:-2]}==",): "invalid_token",
        (f"Bearer {FEED_KEY}", f"Bearer {FEED_KEY}"): "invalid_token",
    }
    for lines, code in refused.items():
        answer = await client.get("/v1/revocations", headers=[("Authorization", line) for line in lines])
        is_problem(answer, 401, code)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert FEED_KEY not in answer.text


async def test_a_users_token_is_no_key_and_a_key_is_no_users_token(client):
    ada = await make_person(client, scope="users:read audit:read")
    tokens = await sign_in(client, ada.email)
    is_problem(await client.get("/v1/revocations", headers=bearer(tokens)), 401, "invalid_token")
    is_problem(await client.get("/v1/me", headers={"Authorization": f"Bearer {FEED_KEY}"}), 401, "invalid_token")


async def test_a_statement_is_no_access_token(client, poller):
    statement = (await poller.ask()).text
    is_problem(await client.get("/v1/me", headers={"Authorization": f"Bearer {statement}"}), 401, "invalid_token")


async def test_a_cursor_that_is_not_ours_is_refused(client, poller):
    sessions = client.app.state.services.get(Cursors).seal({"after": "", "through": None}, query="sessions#")
    for cursor in ("x", "AAAA", "0" * 1024, sessions):
        is_problem(await poller.ask(cursor), 400, "invalid_cursor")


async def test_while_there_are_no_keys_there_is_no_feed(settings, open_app):
    off = settings.model_copy(update={"revocation_feed_keys": SecretStr("")})
    async with open_app(off) as client:
        answer = await client.get("/v1/revocations", headers={"Authorization": f"Bearer {FEED_KEY}"})
        is_problem(answer, 404, "not_found")
        assert "keyturn_revocation_feed" not in (await client.get("/.well-known/openid-configuration")).json()


async def test_the_metadata_names_the_feed(client, poller):
    url = (await client.get("/.well-known/oauth-authorization-server")).json()["keyturn_revocation_feed"]
    assert url == "http://localhost:8000/v1/revocations"
