"""Looking at users: oneself, or with a scope; for everybody else there is nobody."""

from __future__ import annotations

import uuid

import pytest

from service.users.model import UserState
from tests.support.accounts import make_person, set_state
from tests.support.answers import is_empty, is_problem, shown
from tests.support.people import PASSWORD, bearer, refresh, sign_in

FIELDS = {
    "user_id",
    "email",
    "username",
    "display_name",
    "locale",
    "state",
    "scope",
    "created_at",
    "email_verified_at",
}


@pytest.fixture
async def operator(client):
    person = await make_person(client, scope="users:read")
    return bearer(await sign_in(client, person.email))


async def test_a_user_sees_itself(client, ada, tokens):
    answer = await client.get(f"/v1/users/{ada.user_id}", headers=bearer(tokens))
    assert answer.status_code == 200
    assert set(answer.json()) == FIELDS
    assert answer.json()["email"] == ada.email
    assert answer.headers["cache-control"] == "no-store"


async def test_the_scope_users_read_sees_others_whatever_their_state(client, ada, operator):
    answer = await client.get(f"/v1/users/{ada.user_id}", headers=operator)
    assert (answer.status_code, answer.json()["email"], answer.json()["state"]) == (200, ada.email, "active")
    await set_state(client, ada)
    assert (await client.get(f"/v1/users/{ada.user_id}", headers=operator)).json()["state"] == "disabled"


async def test_idor_anothers_user_is_the_same_bytes_as_nobody(client, tokens):
    other = await make_person(client)
    paths = [other.user_id, str(uuid.uuid4()), "nobody", other.user_id.upper(), f"{{{other.user_id}}}", "me", "%00"]
    answers = [await client.get(f"/v1/users/{path}", headers=bearer(tokens)) for path in paths]
    assert is_problem(answers[0], 404, "not_found")
    assert len({repr(shown(answer)) for answer in answers}) == 1


async def test_ones_own_id_has_one_spelling(client, ada, tokens):
    for spelling in (ada.user_id.upper(), ada.user_id.replace("-", ""), f"urn:uuid:{ada.user_id}", f"{ada.user_id} "):
        answer = await client.get(f"/v1/users/{spelling}", headers=bearer(tokens))
        assert is_problem(answer, 404, "not_found")


@pytest.mark.parametrize("user_id", [str(uuid.UUID(int=0)), "not-an-id", "a" * 2000])
async def test_the_scope_finds_nobody_where_nobody_is(client, operator, user_id):
    assert is_problem(await client.get(f"/v1/users/{user_id}", headers=operator), 404, "not_found")


async def test_a_deleted_user_is_not_there_for_anybody(client, ada, tokens, operator):
    assert is_empty(await client.delete("/v1/me", headers=bearer(tokens)))
    path = f"/v1/users/{ada.user_id}"
    assert is_problem(await client.get(path, headers=operator), 404, "not_found")
    assert is_problem(await client.get(path, headers=bearer(tokens)), 401, "invalid_token")


async def test_another_scope_or_part_of_one_does_not_help(client, ada):
    for scope in ("users", "users:read2", "users:write", "xusers:read", "USERS:READ"):
        person = await make_person(client, scope=scope)
        headers = bearer(await sign_in(client, person.email))
        assert is_problem(await client.get(f"/v1/users/{ada.user_id}", headers=headers), 404, "not_found")


async def test_the_scope_does_not_reach_into_anothers_sessions(client, ada, tokens, operator):
    path = f"/v1/users/{ada.user_id}/sessions"
    assert is_problem(await client.get(path, headers=operator), 404, "not_found")
    answer = await client.delete(f"{path}/{tokens['session_id']}", headers=operator)
    assert is_problem(answer, 404, "not_found")


async def test_a_disabled_user_is_refused_at_every_door_and_let_in_anew_when_enabled(client, ada, tokens):
    await set_state(client, ada)
    headers = bearer(tokens)
    for name in (ada.email, ada.username):
        answer = await client.post("/v1/login", json={"identifier": name, "password": PASSWORD})
        assert is_problem(answer, 401, "invalid_credentials")
    assert is_problem(await refresh(client, tokens["refresh_token"]), 401, "invalid_grant")
    assert is_problem(await client.get("/v1/me", headers=headers), 401, "invalid_token")
    assert is_problem(await client.patch("/v1/me", json={}, headers=headers), 401, "invalid_token")
    change = await client.patch("/v1/me", json={"display_name": "Ada"}, headers=headers)
    assert is_problem(change, 401, "invalid_token")
    assert is_problem(await client.delete("/v1/me", headers=headers), 401, "invalid_token")
    assert is_problem(await client.post("/v1/logout-all", headers=headers), 401, "invalid_token")
    assert is_problem(await client.get(f"/v1/users/{ada.user_id}", headers=headers), 401, "invalid_token")
    sessions = await client.get(f"/v1/users/{ada.user_id}/sessions", headers=headers)
    assert is_problem(sessions, 401, "invalid_token")

    await set_state(client, ada, UserState.ACTIVE)
    assert is_problem(await refresh(client, tokens["refresh_token"]), 401, "invalid_grant")
    assert (await refresh(client, (await sign_in(client, ada.email))["refresh_token"])).status_code == 200


async def test_a_disabled_operator_sees_nobody(client, ada):
    person = await make_person(client, scope="users:read")
    headers = bearer(await sign_in(client, person.email))
    await set_state(client, person)
    assert is_problem(await client.get(f"/v1/users/{ada.user_id}", headers=headers), 401, "invalid_token")
