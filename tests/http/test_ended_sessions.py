"""An access token lives out its minutes; behind no door does it change anything once its session has ended."""

from __future__ import annotations

import pytest

from tests.support.accounts import new_name
from tests.support.answers import is_empty, is_problem
from tests.support.people import PASSWORD, bearer, refresh, sign_in

NEW = "a wholly different long sentence"


def doors(person, others):
    """Every door with an access token behind which something is changed or all is told, and what would open it."""
    email = f"{new_name()}@example.com"
    return {
        "change the profile": ("PATCH", "/v1/me", {"display_name": "Eve"}),
        "export everything": ("GET", "/v1/me/export", None),
        "close the account": ("DELETE", "/v1/me", None),
        "change the password": ("POST", "/v1/password/change", {"current_password": PASSWORD, "new_password": NEW}),
        "change the address": ("POST", "/v1/email/change", {"new_email": email, "password": PASSWORD}),
        "confirm the address": ("POST", "/v1/email/change/confirm-code", {"code": "2222-2222"}),
        "end a session": ("DELETE", f"/v1/users/{person.user_id}/sessions/{others['session_id']}", None),
        "log out everywhere": ("POST", "/v1/logout-all", None),
    }


async def logged_out(client, _person, thief, _owner, _clock):
    await client.post("/v1/logout", json={"refresh_token": thief["refresh_token"]})


async def ended_by_its_owner(client, person, thief, owner, _clock):
    path = f"/v1/users/{person.user_id}/sessions/{thief['session_id']}"
    assert is_empty(await client.delete(path, headers=bearer(owner)))


async def revoked_for_reuse(client, _person, thief, _owner, clock):
    for seconds, status in ((0, 200), (120, 401)):
        clock.advance(seconds=seconds)
        assert (await refresh(client, thief["refresh_token"])).status_code == status


@pytest.mark.parametrize("end", [logged_out, ended_by_its_owner, revoked_for_reuse])
async def test_a_stolen_access_token_changes_nothing_once_its_session_was_ended(client, ada, tokens, clock, end):
    thief = await sign_in(client, ada.email)
    await end(client, ada, thief, tokens, clock)
    before = (await client.get("/v1/me", headers=bearer(tokens))).json()
    for door, (method, path, body) in doors(ada, tokens).items():
        answer = await client.request(method, path, json=body, headers=bearer(thief))
        assert is_problem(answer, 401, "invalid_token"), door
    assert (await client.get("/v1/me", headers=bearer(tokens))).json() == before
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200
    assert (await client.get("/v1/me", headers=bearer(thief))).status_code == 200, "reading lives out the minutes"


async def test_a_stolen_access_token_changes_nothing_once_every_session_was_ended(client, ada, tokens):
    thief = await sign_in(client, ada.email)
    assert is_empty(await client.post("/v1/logout-all", headers=bearer(tokens)))
    owner = await sign_in(client, ada.email)
    for door, (method, path, body) in doors(ada, owner).items():
        answer = await client.request(method, path, json=body, headers=bearer(thief))
        if door == "log out everywhere":
            # What was asked for has been done: who lost the answer may ask again, and no later session ends.
            assert is_empty(answer)
        elif door == "confirm the address":
            assert is_problem(answer, 400, "invalid_token")
        else:
            assert is_problem(answer, 401, "invalid_token"), door
    assert (await refresh(client, owner["refresh_token"])).status_code == 200
    assert (await client.get("/v1/me", headers=bearer(owner))).json()["display_name"] is None


async def test_a_code_is_not_even_tried_in_a_session_that_ended_with_all_others(client, mailbox, ada, tokens):
    email = f"{new_name()}@example.com"
    await client.post("/v1/email/change", json={"new_email": email, "password": PASSWORD}, headers=bearer(tokens))
    code = {"code": await mailbox.code(email)}
    thief = await sign_in(client, ada.email)
    assert is_empty(await client.post("/v1/logout-all", headers=bearer(tokens)))
    answer = await client.post("/v1/email/change/confirm-code", json=code, headers=bearer(thief))
    assert is_problem(answer, 400, "invalid_token")
    owner = await sign_in(client, ada.email)
    assert is_empty(await client.post("/v1/email/change/confirm-code", json=code, headers=bearer(owner)))


@pytest.fixture
def environ(environ):
    """A session that ends before its access tokens do."""
    return {**environ, "KEYTURN_REFRESH_IDLE_SECONDS": "200", "KEYTURN_REFRESH_ABSOLUTE_SECONDS": "200"}


async def test_a_session_past_its_life_changes_nothing_though_its_access_token_lives(client, ada, tokens, clock):
    clock.advance(seconds=201)
    owner = await sign_in(client, ada.email)
    for door, (method, path, body) in doors(ada, owner).items():
        answer = await client.request(method, path, json=body, headers=bearer(tokens))
        assert is_problem(answer, 401, "invalid_token"), door
    assert (await client.get("/v1/me", headers=bearer(tokens))).status_code == 200
