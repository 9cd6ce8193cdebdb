"""The sessions of a user: listed by pages, ended one by one, by their owner alone."""

from __future__ import annotations

import base64
import uuid

import pytest

from keyturn import base64url
from service.kernel.ids import parse_user_id
from service.sessions.model import Device, SignInFacts
from service.signin.flows import SignIn
from service.users.repo import UserRepo
from tests.support.accounts import make_person
from tests.support.answers import is_empty, is_problem, shown
from tests.support.people import bearer, refresh, sign_in

FIELDS = {
    "session_id",
    "created_at",
    "last_used_at",
    "expires_at",
    "device_name",
    "user_agent",
    "address",
    "amr",
    "current",
}


def path_of(person, session_id=None):
    return f"/v1/users/{person.user_id}/sessions" + ("" if session_id is None else f"/{session_id}")


async def open_many(client, person, count):
    """Sessions without passwords, for lists that are long."""
    services = client.app.state.services
    open_session = services.get(SignIn).open_session
    user = await services.get(UserRepo).load(parse_user_id(person.user_id))
    facts = SignInFacts(client_id="first-party", scope="", amr=("pwd",), acr="aal1", auth_time_seconds=1)
    device = Device(name=None, user_agent=None, address=None)
    now_ms = services.get(SignIn).clock.now_ms()
    return [(await open_session(user, facts, device, now_ms=now_ms)).session_id for _ in range(count)]


async def all_pages(client, person, headers):
    found, pages, cursor = [], 0, None
    while pages == 0 or cursor is not None:
        params = {} if cursor is None else {"cursor": cursor}
        answer = await client.get(path_of(person), params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"sessions", "next_cursor"}
        found += answer.json()["sessions"]
        cursor, pages = answer.json()["next_cursor"], pages + 1
    return found, pages


async def test_a_session_is_shown_with_its_device_and_nothing_secret(client, ada):
    client.headers["User-Agent"] = "Browser/1.0"
    tokens = await sign_in(client, ada.email, device_name="Ada's phone")
    answer = await client.get(path_of(ada), headers=bearer(tokens))
    (session,) = answer.json()["sessions"]
    assert set(session) == FIELDS
    assert session == {
        "session_id": tokens["session_id"],
        "created_at": "2027-01-15T08:00:00Z",
        "last_used_at": "2027-01-15T08:00:00Z",
        "expires_at": "2027-02-14T08:00:00Z",
        "device_name": "Ada's phone",
        "user_agent": "Browser/1.0",
        "address": "127.0.0.0/24",
        "amr": ["pwd"],
        "current": True,
    }
    assert answer.json()["next_cursor"] is None
    assert answer.headers["cache-control"] == "no-store"


async def test_only_the_session_of_the_token_is_current(client, ada, tokens):
    await sign_in(client, ada.email)
    sessions = (await client.get(path_of(ada), headers=bearer(tokens))).json()["sessions"]
    assert {one["session_id"] for one in sessions if one["current"]} == {tokens["session_id"]}
    assert len(sessions) == 2


async def test_ended_and_expired_sessions_are_left_out(client, ada, tokens, clock):
    ended = await sign_in(client, ada.email)
    await client.post("/v1/logout", json={"refresh_token": ended["refresh_token"]})
    clock.advance(seconds=29 * 86_400)
    young = await sign_in(client, ada.email)
    clock.advance(seconds=2 * 86_400)
    headers = bearer((await refresh(client, young["refresh_token"])).json())
    found, _ = await all_pages(client, ada, headers)
    assert [one["session_id"] for one in found] == [young["session_id"]]


async def test_paging_shows_each_session_once_and_ends(client, ada, tokens):
    made = await open_many(client, ada, 104)
    found, pages = await all_pages(client, ada, bearer(tokens))
    assert pages == 3
    assert sorted(one["session_id"] for one in found) == sorted([*made, tokens["session_id"]])


async def test_a_cursor_of_another_users_list_is_refused(client, ada, tokens):
    other = await make_person(client)
    await open_many(client, ada, 50)
    cursor = (await client.get(path_of(ada), headers=bearer(tokens))).json()["next_cursor"]
    answer = await client.get(
        path_of(other), params={"cursor": cursor}, headers=bearer(await sign_in(client, other.email))
    )
    assert is_problem(answer, 400, "invalid_cursor")


async def test_a_cursor_shows_nothing_of_the_key_behind_it(client, ada, tokens):
    await open_many(client, ada, 50)
    cursor = (await client.get(path_of(ada), headers=bearer(tokens))).json()["next_cursor"]
    raw = base64url.decode(cursor)
    assert uuid.UUID(ada.user_id).bytes not in raw
    assert base64.b64encode(uuid.UUID(ada.user_id).bytes)[:16] not in raw


@pytest.mark.parametrize("cursor", ["", "x", "A" * 64, "é", "=" * 8, "A" * 1024], ids=range(6))
async def test_a_forged_cursor_is_refused(client, ada, tokens, cursor):
    answer = await client.get(path_of(ada), params={"cursor": cursor}, headers=bearer(tokens))
    assert is_problem(answer, 400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=" + "A" * 1025, ("cursor", "too_long")),
        ("cursor=a&cursor=b", ("cursor", "duplicate_field")),
        ("limit=1000000", ("limit", "unknown_field")),
        ("user_id=x", ("user_id", "unknown_field")),
    ],
)
async def test_another_query_is_refused(client, ada, tokens, query, field):
    answer = await client.get(f"{path_of(ada)}?{query}", headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields={field})


async def test_an_owner_ends_a_session_and_it_is_dead_at_once(client, ada, tokens, clock):
    other = await sign_in(client, ada.email)
    assert is_empty(await client.delete(path_of(ada, other["session_id"]), headers=bearer(tokens)))
    assert is_problem(await refresh(client, other["refresh_token"]), 401, "invalid_grant")
    clock.advance(seconds=1)
    again = await client.delete(path_of(ada, other["session_id"]), headers=bearer(tokens))
    assert is_problem(again, 404, "not_found")
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200


async def test_idor_anothers_session_is_the_same_bytes_as_none(client, ada, tokens):
    other = await make_person(client)
    others = await sign_in(client, other.email)
    paths = [
        path_of(other, others["session_id"]),
        path_of(ada, others["session_id"]),
        path_of(ada, str(uuid.uuid4())),
        path_of(ada, "not-a-session"),
        path_of(ada, tokens["session_id"].upper()),
    ]
    answers = [await client.delete(path, headers=bearer(tokens)) for path in paths]
    assert is_problem(answers[0], 404, "not_found")
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert (await refresh(client, others["refresh_token"])).status_code == 200
    listing = await client.get(path_of(other), headers=bearer(tokens))
    nobody = await client.get(f"/v1/users/{uuid.uuid4()}/sessions", headers=bearer(tokens))
    assert shown(listing) == shown(nobody)
