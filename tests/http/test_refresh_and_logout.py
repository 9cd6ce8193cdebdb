"""Refresh, log out, log out everywhere: bearer clients."""

from __future__ import annotations

import pytest

from service.kernel.ids import parse_user_id
from service.store.operations import Update
from service.store.table import Table
from service.users import items
from service.users.repo import UserRepo
from tests.support.accounts import make_person
from tests.support.answers import is_empty, is_problem
from tests.support.people import bearer, refresh, sign_in

GARBAGE = {
    "a word": "garbage",
    "the prefix": "ktr_",
    "an access token": "eyJhbGciOiJub25lIn0.e30.",
    "too long": "ktr_" + "0" * 508,
    "right length, wrong checksum": "ktr_" + "0" * 101,
    "not ASCII": "ktr_" + "é" * 101,
}


@pytest.fixture
def set_scope(client):
    """Changes what an operator may change of a user, in the table."""

    async def change(person, *, scope):
        users = client.app.state.services.get(UserRepo)
        key = items.key(parse_user_id(person.user_id))
        await users.dynamo.write(Update(table=Table.USERS, key=key, update="SET sc = :sc", values={":sc": scope}))

    return change


async def test_a_refresh_answers_the_tokens_and_is_never_cached(client, tokens):
    answer = await refresh(client, tokens["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == tokens.keys()
    assert answer.json()["session_id"] == tokens["session_id"]
    assert answer.json()["refresh_token"] != tokens["refresh_token"]
    me = await client.get("/v1/me", headers=bearer(answer.json()))
    assert me.status_code == 200


@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_refused_at_refresh_and_passed_at_logout(client, token):
    assert is_problem(await refresh(client, token), 401, "invalid_grant")
    assert is_empty(await client.post("/v1/logout", json={"refresh_token": token}))


async def test_every_refused_refresh_looks_alike(client, ada, tokens, clock):
    other = await sign_in(client, ada.email)
    await client.post("/v1/logout", json={"refresh_token": other["refresh_token"]})
    answers = [await refresh(client, GARBAGE["a word"]), await refresh(client, other["refresh_token"])]
    clock.advance(seconds=31 * 86_400)
    answers.append(await refresh(client, tokens["refresh_token"]))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("path", ["/v1/refresh", "/v1/logout"])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (None, {("refresh_token", "missing")}),
        ({}, {("refresh_token", "missing")}),
        ({"refresh_token": ""}, {("refresh_token", "too_short")}),
        ({"refresh_token": "x" * 513}, {("refresh_token", "too_long")}),
        ({"refresh_token": ["ktr_"]}, {("refresh_token", "wrong_type")}),
        ({"refresh_token": "x", "scope": "admin"}, {("scope", "unknown_field")}),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, path, body, fields):
    assert is_problem(await client.post(path, json=body), 422, "invalid_fields", fields=fields)


async def test_an_access_token_cannot_be_refreshed_with(client, tokens):
    assert is_problem(await refresh(client, tokens["access_token"][:512]), 401, "invalid_grant")


async def test_logout_ends_the_session_at_once_and_may_be_repeated(client, tokens):
    body = {"refresh_token": tokens["refresh_token"]}
    for _ in range(3):
        answer = await client.post("/v1/logout", json=body)
        assert is_empty(answer)
        assert "set-cookie" not in answer.headers
        assert is_problem(await refresh(client, tokens["refresh_token"]), 401, "invalid_grant")


async def test_logout_ends_one_session_and_not_another(client, ada, tokens):
    other = await sign_in(client, ada.email)
    await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})
    assert (await refresh(client, other["refresh_token"])).status_code == 200


async def test_logout_all_ends_every_session_and_a_new_one_lives(client, ada, tokens):
    other = await sign_in(client, ada.email)
    assert is_empty(await client.post("/v1/logout-all", headers=bearer(tokens)))
    for ended in (tokens, other):
        assert is_problem(await refresh(client, ended["refresh_token"]), 401, "invalid_grant")
    assert (await refresh(client, (await sign_in(client, ada.email))["refresh_token"])).status_code == 200


async def test_a_refresh_carries_no_scope_that_the_user_has_lost(client, set_scope):
    person = await make_person(client, scope="users:read reports")
    tokens = await sign_in(client, person.email)
    assert tokens["scope"] == "users:read reports"
    await set_scope(person, scope="reports admin")
    renewed = (await refresh(client, tokens["refresh_token"])).json()
    assert renewed["scope"] == "reports"
