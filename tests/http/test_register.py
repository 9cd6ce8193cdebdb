"""Register: one answer for everybody, and the mail tells the owner; or, where the settings disclose, 201 and 409."""

from __future__ import annotations

import asyncio

import pytest

from service.settings import load
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_empty, is_problem, shown
from tests.support.people import PASSWORD, register, sign_in

DAY = 86_400
CONFIRM = "Confirm your email address"
ALREADY = "You already have an account"
USERNAME_TAKEN = "Your sign-up could not be completed"


@pytest.fixture
async def disclosing(environ, open_app, watch):
    async with open_app(load({**environ, "KEYTURN_REGISTRATION": "disclose"})) as client:
        yield watch(client)


async def test_a_sign_up_is_accepted_and_nothing_else_is_said(client, mailbox):
    email = f"{new_name()}@example.com"
    answer = await register(client, email)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert answer.headers["cache-control"] == "no-store"
    assert "location" not in answer.headers
    assert (await mailbox.wait(email))["Subject"] == CONFIRM


async def test_enumeration_free_taken_and_taken_username_are_the_same_bytes(client, ada, mailbox):
    free, other = f"{new_name()}@example.com", f"{new_name()}@example.com"
    answers = [
        await register(client, free, username=new_name()),
        await register(client, free),
        await register(client, ada.email),
        await register(client, ada.email.upper()),
        await register(client, ada.email, username=new_name()),
        await register(client, other, username=ada.username),
        await register(client, other, username=ada.username.upper()),
    ]
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert answers[0].status_code == 202
    # Each owner is told the truth, and only the owner.
    assert (await mailbox.wait(free, count=2))["Subject"] == CONFIRM
    assert (await mailbox.wait(ada.email, count=3))["Subject"] == ALREADY
    assert (await mailbox.wait(other, count=2))["Subject"] == USERNAME_TAKEN
    assert {mail["Subject"] for mail in mailbox.all(ada.email)} == {ALREADY}
    assert {mail["Subject"] for mail in mailbox.all(other)} == {USERNAME_TAKEN}


async def test_a_mail_about_a_taken_name_opens_nothing(client, ada, mailbox):
    await register(client, ada.email, password="another horse battery staple")
    await mailbox.wait(ada.email)
    assert (await client.post("/v1/email/resend", json={"email": ada.email})).status_code == 202
    await sign_in(client, ada.email)
    refused = await client.post("/v1/login", json={"identifier": ada.email, "password": "another horse battery staple"})
    assert is_problem(refused, 401, "invalid_credentials")
    assert len(mailbox.all(ada.email)) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {("email", "missing"), ("password", "missing")}),
        ({"email": "ada", "password": PASSWORD}, None),
        ({"email": "Ada <ada@example.com>", "password": PASSWORD}, None),
        ({"email": "a@example.com\r\nBcc: b@example.com", "password": PASSWORD}, None),
        ({"email": ["a@example.com", "b@example.com"], "password": PASSWORD}, {("email", "wrong_type")}),
        ({"email": {"$ne": None}, "password": PASSWORD}, {("email", "wrong_type")}),
        ({"email": "a@example.com", "password": 123456789012345}, {("password", "wrong_type")}),
        ({"email": "a@example.com", "password": "tooshort"}, {("password", "password_too_short")}),
        ({"email": "a@example.com", "password": "x" * 257}, {("password", "password_too_long")}),
        ({"email": "a@example.com", "password": "x" * 1025}, {("password", "too_long")}),
        ({"email": "a@example.com", "password": PASSWORD + "\t"}, {("password", "password_control_character")}),
        ({"email": "a@example.com", "password": "keyturn-keyturn"}, {("password", "password_like_product")}),
        ({"email": "longname@example.com", "password": "longname@example.com"}, {("password", "password_like_email")}),
        (
            {"email": "a@example.com", "password": "curiousperson1", "username": "curiousperson"},
            {("password", "password_too_short"), ("password", "password_like_username")},
        ),
        ({"email": "a@example.com", "password": PASSWORD, "username": ""}, {("username", "too_short")}),
        ({"email": "a@example.com", "password": PASSWORD, "username": "x" * 65}, {("username", "too_long")}),
        ({"email": "a@example.com", "password": PASSWORD, "username": "a@b"}, None),
        ({"email": "a@example.com", "password": PASSWORD, "scope": "admin"}, {("scope", "unknown_field")}),
        ({"email": "a@example.com", "password": PASSWORD, "state": "active"}, {("state", "unknown_field")}),
        ({"email": "a@example.com", "password": PASSWORD, "locale": "de"}, {("locale", "unknown_field")}),
    ],
)
async def test_what_cannot_be_registered_is_refused_by_field(client, mailbox, body, fields):
    answer = await client.post("/v1/register", json=body)
    assert is_problem(answer, 422, "invalid_fields", fields=fields)
    assert str(body.get("password")) not in answer.text
    assert mailbox.all() == []


async def test_every_reason_is_told_at_once(client):
    body = {"email": "nobody", "password": "tooshort", "username": "a b"}
    answer = await client.post("/v1/register", json=body)
    assert {error["field"] for error in answer.json()["errors"]} == {"email", "password", "username"}


async def test_the_minimum_length_is_the_setting(environ, open_app):
    async with open_app(load({**environ, "KEYTURN_PASSWORD_MIN_LENGTH": "8"})) as client:
        assert (await register(client, f"{new_name()}@example.com", password="q7#kfw2!")).status_code == 202
        answer = await register(client, f"{new_name()}@example.com", password="q7#kfw2")
        assert "8 characters" in answer.json()["errors"][0]["message"]


async def test_a_disclosing_service_answers_201_with_the_user_id_that_the_account_gets(disclosing, mailbox):
    email = f"{new_name()}@example.com"
    answer = await register(disclosing, email, username=new_name())
    assert answer.status_code == 201
    assert answer.json().keys() == {"user_id"}
    assert answer.headers["cache-control"] == "no-store"
    assert is_empty(await disclosing.post("/v1/email/verify", json={"token": await mailbox.token(email)}))
    tokens = await sign_in(disclosing, email)
    me = await disclosing.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["user_id"] == answer.json()["user_id"]


@pytest.mark.parametrize("spell", [str, str.upper], ids=["same", "upper case"])
async def test_a_disclosing_service_names_what_is_taken(disclosing, mailbox, spell):
    person = await make_person(disclosing)
    taken = await register(disclosing, spell(person.email))
    assert is_problem(taken, 409, "email_taken")
    taken = await register(disclosing, f"{new_name()}@example.com", username=spell(person.username))
    assert is_problem(taken, 409, "username_taken")
    assert mailbox.all() == []


async def test_a_refused_hold_holds_nothing(disclosing):
    person, email = await make_person(disclosing), f"{new_name()}@example.com"
    assert is_problem(await register(disclosing, email, username=person.username), 409, "username_taken")
    assert (await register(disclosing, email)).status_code == 201


async def test_a_hold_keeps_others_out_for_a_day_and_no_longer(disclosing, clock):
    email, username = f"{new_name()}@example.com", new_name()
    first = await register(disclosing, email, username=username)
    clock.advance(seconds=DAY - 0.001)
    assert is_problem(await register(disclosing, email), 409, "email_taken")
    other = f"{new_name()}@example.com"
    assert is_problem(await register(disclosing, other, username=username), 409, "username_taken")
    clock.advance(seconds=0.001)
    second = await register(disclosing, email, username=username)
    assert second.status_code == 201
    assert second.json()["user_id"] != first.json()["user_id"]


async def test_a_sign_up_whose_hold_has_run_out_cannot_take_the_name_from_its_new_holder(disclosing, mailbox, clock):
    email = f"{new_name()}@example.com"
    await register(disclosing, email)
    old = await mailbox.token(email)
    clock.advance(seconds=DAY + 1)
    await register(disclosing, email)
    new = await mailbox.token(email, count=2)
    assert is_problem(await disclosing.post("/v1/email/verify", json={"token": old}), 400, "invalid_token")
    assert is_empty(await disclosing.post("/v1/email/verify", json={"token": new}))


async def test_race_one_address_registered_by_ten_at_once_is_held_once(disclosing):
    email = f"{new_name()}@example.com"
    answers = await asyncio.gather(*(register(disclosing, email) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
