"""Sign in: what succeeds, and that every failure looks alike."""

from __future__ import annotations

import pytest

from keyturn.strict import parse as parse_token
from service.passwords.hasher import PasswordHasher
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_problem, shown
from tests.support.people import PASSWORD

TOKEN_FIELDS = {
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "refresh_expires_in",
    "scope",
    "session_id",
}


async def login(client, identifier, password=PASSWORD, **fields):
    return await client.post("/v1/login", json={"identifier": identifier, "password": password, **fields})


async def test_a_sign_in_answers_exactly_the_tokens_and_is_never_cached(client, ada):
    answer = await login(client, ada.email)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert "set-cookie" not in answer.headers
    body = answer.json()
    assert set(body) == TOKEN_FIELDS
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "")
    assert body["refresh_expires_in"] == 30 * 86_400
    assert body["refresh_token"].startswith("ktr_")


async def test_an_access_token_lives_from_when_its_user_was_read_however_long_the_sign_in_stands_still(
    client, ada, clock, monkeypatch
):
    """Whoever ended the sessions meanwhile counts on no token of before being alive a life later."""
    verify, began_ms = PasswordHasher.verify, clock.now_ms()

    async def stands_still(*arguments, **options):
        clock.advance(seconds=200)
        return await verify(*arguments, **options)

    monkeypatch.setattr(PasswordHasher, "verify", stands_still)
    body = (await login(client, ada.email)).json()
    claims = parse_token(body["access_token"]).claims
    began = began_ms // 1000
    assert (claims["iat"], claims["auth_time"], claims["exp"]) == (began, began, began + 300)


@pytest.mark.parametrize("spell", [str, str.upper, str.title], ids=["as it is", "upper case", "title case"])
@pytest.mark.parametrize("name", ["email", "username"])
async def test_either_name_signs_in_however_it_is_written(client, ada, name, spell):
    assert (await login(client, spell(getattr(ada, name)))).status_code == 200


async def test_the_access_token_says_what_rfc_9068_asks_for(client, clock):
    person = await make_person(client, scope="users:read")
    body = (await login(client, person.email)).json()
    token = parse_token(body["access_token"])
    assert token.header.keys() == {"typ", "alg", "kid"}
    assert (token.header["typ"], token.header["alg"]) == ("at+jwt", "ES256")
    claims = dict(token.claims)
    now = clock.now_ms() // 1000
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": "http://localhost:8000",
        "sub": person.user_id,
        "aud": "http://localhost:8000",
        "exp": now + 300,
        "iat": now,
        "client_id": "first-party",
        "scope": "users:read",
        "sid": body["session_id"],
        "auth_time": now,
        "amr": ["pwd"],
        "acr": "aal1",
    }


async def test_enumeration_unknown_wrong_and_disabled_are_the_same_bytes(client, ada):
    disabled = await make_person(client)
    await set_state(client, disabled)
    attempts = [
        (f"{new_name()}@example.com", PASSWORD),
        (new_name(), PASSWORD),
        ("not a name at all", PASSWORD),
        (ada.email, "wrong horse battery staple"),
        (ada.username, "wrong horse battery staple"),
        (disabled.email, PASSWORD),
        (disabled.username, PASSWORD),
        (disabled.email, "wrong horse battery staple"),
    ]
    answers = [await login(client, *attempt) for attempt in attempts]
    assert is_problem(answers[0], 401, "invalid_credentials")
    assert len({repr(shown(answer)) for answer in answers}) == 1


async def test_a_sign_up_that_is_not_confirmed_cannot_sign_in(client, mailbox):
    email = f"{new_name()}@example.com"
    await client.post("/v1/register", json={"email": email, "password": PASSWORD})
    await mailbox.wait(email)
    assert is_problem(await login(client, email), 401, "invalid_credentials")


@pytest.mark.parametrize(
    "password", ["x" * 300, "\u0301" * 1024, "tab\there and so on", "a" * 1024], ids=["long", "marks", "tab", "max"]
)
async def test_a_password_that_could_never_be_set_is_wrong_and_no_error(client, ada, password):
    assert is_problem(await login(client, ada.email, password), 401, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {("identifier", "missing"), ("password", "missing")}),
        ({"identifier": "", "password": ""}, {("identifier", "too_short"), ("password", "too_short")}),
        ({"identifier": "a" * 255, "password": "b" * 1025}, {("identifier", "too_long"), ("password", "too_long")}),
        ({"identifier": {"$ne": ""}, "password": ["x"]}, {("identifier", "wrong_type"), ("password", "wrong_type")}),
        ({"identifier": 1, "password": True}, {("identifier", "wrong_type"), ("password", "wrong_type")}),
        ({"identifier": None, "password": None}, {("identifier", "wrong_type"), ("password", "wrong_type")}),
        ({"identifier": "a", "password": "b", "transport": "carrier pigeon"}, {("transport", "not_allowed")}),
        ({"identifier": "a", "password": "b", "device_name": "d" * 65}, {("device_name", "too_long")}),
        ({"identifier": "a", "password": "b", "session_id": "x"}, {("session_id", "unknown_field")}),
        ({"identifier": "a", "password": "b", "scope": "admin"}, {("scope", "unknown_field")}),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, body, fields):
    assert is_problem(await client.post("/v1/login", json=body), 422, "invalid_fields", fields=fields)


async def test_credentials_in_the_query_are_refused_and_not_read(client, ada):
    answer = await client.post(
        "/v1/login", params={"password": PASSWORD}, json={"identifier": ada.email, "password": PASSWORD}
    )
    assert is_problem(answer, 422, "invalid_fields", fields={("password", "unknown_field")})
    assert PASSWORD not in answer.text


async def test_session_fixation_the_session_is_new_at_each_sign_in_whatever_the_client_sends(client, ada, tokens):
    headers = {"Cookie": f"__Host-keyturn_refresh={tokens['refresh_token']}"}
    body = {"identifier": ada.email, "password": PASSWORD}
    again = (await client.post("/v1/login", json=body, headers=headers)).json()
    assert again["session_id"] != tokens["session_id"]
    assert again["refresh_token"] != tokens["refresh_token"]
