"""Oneself: looked at, changed, closed."""

from __future__ import annotations

import pytest

from service.kernel.ids import parse_user_id
from service.sessions.flows import ListSessions
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_empty, is_problem
from tests.support.people import bearer, refresh, register, sign_in, sign_up

ME_FIELDS = {
    "user_id",
    "email",
    "username",
    "display_name",
    "locale",
    "state",
    "scope",
    "created_at",
    "email_verified_at",
    "session_id",
    "auth_time",
    "amr",
}


async def test_me_shows_exactly_the_safe_fields(client, ada, tokens, clock):
    answer = await client.get("/v1/me", headers=bearer(tokens))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == ME_FIELDS
    assert (body["user_id"], body["email"], body["username"]) == (ada.user_id, ada.email, ada.username)
    assert (body["state"], body["scope"], body["amr"]) == ("active", "", ["pwd"])
    assert (body["session_id"], body["auth_time"]) == (tokens["session_id"], clock.now_ms() // 1000)
    assert (body["created_at"], body["display_name"], body["locale"]) == ("2027-01-15T08:00:00Z", None, None)


async def test_a_profile_is_changed_kept_and_cleared(client, tokens):
    headers = bearer(tokens)
    changed = await client.patch("/v1/me", json={"display_name": "Ada Lovelace", "locale": "de-AT"}, headers=headers)
    assert changed.status_code == 200
    assert set(changed.json()) == ME_FIELDS
    assert (changed.json()["display_name"], changed.json()["locale"]) == ("Ada Lovelace", "de-AT")
    for body in ({}, {"display_name": None}, {"locale": None}):
        kept = await client.patch("/v1/me", json=body, headers=headers)
        assert kept.json() == changed.json()
    cleared = await client.patch("/v1/me", json={"display_name": "", "locale": ""}, headers=headers)
    assert (cleared.json()["display_name"], cleared.json()["locale"]) == (None, None)
    assert (await client.get("/v1/me", headers=headers)).json() == cleared.json()


@pytest.mark.parametrize(
    "field",
    ["scope", "state", "email", "username", "epoch", "user_id", "email_verified_at", "created_at", "password", "ep"],
)
async def test_mass_assignment_no_other_field_can_be_set(client, tokens, field):
    before = (await client.get("/v1/me", headers=bearer(tokens))).json()
    body = {"display_name": "Ada", field: "users:read"}
    answer = await client.patch("/v1/me", json=body, headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields={(field, "unknown_field")})
    assert (await client.get("/v1/me", headers=bearer(tokens))).json() == before


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"display_name": "x" * 65}, {("display_name", "too_long")}),
        ({"display_name": ["Ada"]}, {("display_name", "wrong_type")}),
        ({"display_name": "Ada\u202elavolAda"}, {("display_name", "control_character")}),
        ({"display_name": "A\u0007da"}, {("display_name", "control_character")}),
        ({"locale": "DE"}, {("locale", "wrong_format")}),
        ({"locale": "../../etc/passwd"}, {("locale", "wrong_format")}),
        ({"locale": "x" * 36}, {("locale", "too_long")}),
        ({"locale": "de\n"}, {("locale", "wrong_format")}),
    ],
)
async def test_a_profile_field_that_is_refused_says_which(client, tokens, body, fields):
    answer = await client.patch("/v1/me", json=body, headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields=fields)


async def test_an_empty_body_is_refused(client, tokens):
    answer = await client.patch("/v1/me", headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields={("body", "missing")})


async def test_closing_an_account_ends_it_at_every_door(client, ada, tokens):
    other = await sign_in(client, ada.email, device_name="my phone")
    assert is_empty(await client.delete("/v1/me", headers=bearer(tokens)))
    assert is_problem(await client.get("/v1/me", headers=bearer(tokens)), 401, "invalid_token")
    assert is_problem(await client.delete("/v1/me", headers=bearer(tokens)), 401, "invalid_token")
    change = await client.patch("/v1/me", json={"display_name": "Ghost"}, headers=bearer(tokens))
    assert is_problem(change, 401, "invalid_token")
    assert is_problem(await client.post("/v1/logout-all", headers=bearer(tokens)), 401, "invalid_token")
    for one in (tokens, other):
        assert is_problem(await refresh(client, one["refresh_token"]), 401, "invalid_grant")
    for name in (ada.email, ada.username):
        body = {"identifier": name, "password": "correct horse battery staple"}
        assert is_problem(await client.post("/v1/login", json=body), 401, "invalid_credentials")


async def test_closing_an_account_sweeps_its_sessions(client, ada, tokens):
    for _ in range(3):
        await sign_in(client, ada.email, device_name="Ada's phone")
    await client.delete("/v1/me", headers=bearer(tokens))
    sessions = client.app.state.services.get(ListSessions).sessions
    assert (await sessions.page(parse_user_id(ada.user_id), limit=50, start=None)).sessions == ()


async def test_a_closed_accounts_names_are_free_and_their_next_owner_is_another_subject(client, mailbox):
    email, username = f"{new_name()}@example.com", new_name()
    await sign_up(client, mailbox, email, username=username)
    old = await sign_in(client, email)
    old_id = (await client.get("/v1/me", headers=bearer(old))).json()["user_id"]
    assert is_empty(await client.delete("/v1/me", headers=bearer(old)))

    await register(client, email, username=username)
    token = await mailbox.token(email, count=2)
    assert is_empty(await client.post("/v1/email/verify", json={"token": token}))
    new = await sign_in(client, username)
    me = (await client.get("/v1/me", headers=bearer(new))).json()
    assert me["user_id"] != old_id
    assert is_problem(await client.get("/v1/me", headers=bearer(old)), 401, "invalid_token")
    assert is_problem(await client.get(f"/v1/users/{me['user_id']}", headers=bearer(old)), 404, "not_found")
    assert is_problem(await refresh(client, old["refresh_token"]), 401, "invalid_grant")


async def test_step_up_closing_needs_a_recent_sign_in_and_a_refresh_is_none(client, ada, tokens, clock):
    clock.advance(seconds=590)
    late = (await refresh(client, tokens["refresh_token"])).json()
    clock.advance(seconds=20)
    answer = await client.delete("/v1/me", headers=bearer(late))
    assert is_problem(answer, 401, "insufficient_user_authentication")
    challenge = 'Bearer realm="keyturn", error="insufficient_user_authentication", max_age="600"'
    assert answer.headers["www-authenticate"] == challenge
    assert (await client.get("/v1/me", headers=bearer(late))).status_code == 200
    assert is_empty(await client.delete("/v1/me", headers=bearer(await sign_in(client, ada.email))))


async def test_a_disabled_user_cannot_close_its_account(client, tokens, ada):
    await set_state(client, ada)
    assert is_problem(await client.delete("/v1/me", headers=bearer(tokens)), 401, "invalid_token")


async def test_closing_one_account_leaves_another_alone(client, tokens):
    other = await make_person(client)
    others = await sign_in(client, other.email)
    await client.delete("/v1/me", headers=bearer(tokens))
    assert (await refresh(client, others["refresh_token"])).status_code == 200
