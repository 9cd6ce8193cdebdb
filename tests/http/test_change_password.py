"""Change the password: by who is signed in and knows it; this session goes on, every other ends."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from service.users.model import UserState
from tests.support.accounts import make_person, set_state
from tests.support.answers import is_empty, is_problem
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, refresh, sign_in

NEW = "a wholly different long sentence"


async def change(client, tokens, new=NEW, *, current=PASSWORD):
    body = {"current_password": current, "new_password": new}
    return await client.post("/v1/password/change", json=body, headers=bearer(tokens))


async def login(client, person, password):
    return await client.post("/v1/login", json={"identifier": person.email, "password": password})


async def test_the_new_password_works_and_the_old_one_is_refused_at_once(client, ada, tokens):
    answer = await change(client, tokens)
    assert is_empty(answer)
    assert "set-cookie" not in answer.headers
    assert is_problem(await login(client, ada, PASSWORD), 401, "invalid_credentials")
    assert (await login(client, ada, NEW)).status_code == 200


async def test_a_wrong_current_password_is_refused_and_changes_nothing(client, ada, tokens):
    other = await sign_in(client, ada.email)
    for wrong in ("not " + PASSWORD, PASSWORD + " ", PASSWORD.upper(), NEW):
        assert is_problem(await change(client, tokens, current=wrong), 401, "invalid_credentials")
    assert (await login(client, ada, PASSWORD)).status_code == 200
    assert (await refresh(client, other["refresh_token"])).status_code == 200


async def test_somebody_elses_password_is_not_mine(client, tokens):
    eve = await make_person(client)
    eves = await sign_in(client, eve.email)
    assert is_empty(await change(client, eves))
    assert is_problem(
        await change(client, tokens, "yet another long sentence", current=NEW), 401, "invalid_credentials"
    )


async def test_every_other_session_is_dead_at_its_next_refresh_and_this_one_rotates_on(client, ada, tokens, clock):
    others = [await sign_in(client, ada.email, device_name=f"device {number}") for number in range(3)]
    assert is_empty(await change(client, tokens))
    for other in others:
        assert is_problem(await refresh(client, other["refresh_token"]), 401, "invalid_grant")
    token = tokens["refresh_token"]
    for _ in range(3):
        clock.advance(seconds=60)
        answer = await refresh(client, token)
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != token
        token = answer.json()["refresh_token"]
    assert (await client.get("/v1/me", headers=bearer(answer.json()))).status_code == 200


async def test_a_session_that_lived_through_one_change_is_ended_by_the_next_of_another(client, ada, tokens):
    assert is_empty(await change(client, tokens))
    other = (await login(client, ada, NEW)).json()
    assert is_empty(await change(client, other, PASSWORD, current=NEW))
    assert is_problem(await refresh(client, tokens["refresh_token"]), 401, "invalid_grant")
    assert (await refresh(client, other["refresh_token"])).status_code == 200


async def test_a_session_that_has_ended_cannot_change_the_password_with_its_living_access_token(client, ada, tokens):
    await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})
    assert is_problem(await change(client, tokens), 401, "invalid_token")
    assert (await login(client, ada, PASSWORD)).status_code == 200


async def test_a_session_that_ended_with_all_others_is_not_revived_by_a_change(client, ada, tokens):
    thief = await sign_in(client, ada.email)
    assert is_empty(await client.post("/v1/logout-all", headers=bearer(tokens)))
    assert is_problem(await change(client, thief), 401, "invalid_token")
    assert is_problem(await refresh(client, thief["refresh_token"]), 401, "invalid_grant")
    assert (await login(client, ada, PASSWORD)).status_code == 200


async def test_of_changes_at_once_one_is_made(client, ada, tokens):
    sessions = [tokens] + [await sign_in(client, ada.email) for _ in range(3)]
    wanted = [f"long sentence number {number} of many" for number in range(12)]
    answers = await asyncio.gather(*(change(client, sessions[index % 4], new) for index, new in enumerate(wanted)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[204] == 1
    assert set(statuses) <= {204, 401, 409}
    winner = next(index for index, answer in enumerate(answers) if answer.status_code == 204)
    assert (await login(client, ada, wanted[winner])).status_code == 200
    alive = [(await refresh(client, one["refresh_token"])).status_code for one in sessions]
    assert alive == [200 if index == winner % 4 else 401 for index in range(4)]


async def test_the_owner_is_told_and_the_mail_says_no_password(client, mailbox, ada, tokens):
    await client.patch("/v1/me", json={"locale": "de"}, headers=bearer(tokens))
    assert is_empty(await change(client, tokens))
    mail = await mailbox.wait(ada.email)
    assert (mail["To"], mail["Subject"]) == (ada.email, "Ihr Passwort wurde geändert")
    assert NEW not in text_of(mail)
    assert "token=" not in text_of(mail)


async def test_a_change_that_is_refused_mails_nobody(client, mailbox, ada, tokens):
    await change(client, tokens, current=NEW)
    await change(client, tokens, "short")
    assert is_empty(await change(client, tokens))
    await mailbox.wait(ada.email)
    assert len(mailbox.all(ada.email)) == 1


@pytest.mark.parametrize("new", ["short", "ada", "password"])
async def test_a_new_password_that_is_refused_says_why(client, ada, tokens, new):
    answer = await change(client, tokens, new)
    assert is_problem(answer, 422, "invalid_fields")
    assert {error["field"] for error in answer.json()["errors"]} == {"new_password"}
    assert (await login(client, ada, PASSWORD)).status_code == 200


async def test_a_new_password_like_the_owners_names_is_refused(client, ada, tokens):
    for new in (ada.email, ada.username * 2):
        assert is_problem(await change(client, tokens, new), 422, "invalid_fields")


async def test_the_policy_is_told_to_nobody_who_does_not_know_the_password(client, tokens):
    assert is_problem(await change(client, tokens, "short", current=NEW), 401, "invalid_credentials")


async def test_a_change_voids_what_is_mailed_and_not_used(client, mailbox, ada, tokens):
    await client.post("/v1/password/forgot", json={"email": ada.email})
    token = await mailbox.token(ada.email)
    body = {"new_email": f"x{ada.email}", "password": PASSWORD}
    await client.post("/v1/email/change", json=body, headers=bearer(tokens))
    confirmation, code = await mailbox.token(f"x{ada.email}"), await mailbox.code(f"x{ada.email}")
    assert is_empty(await change(client, tokens))
    answer = await client.post("/v1/password/reset", json={"token": token, "new_password": PASSWORD})
    assert is_problem(answer, 400, "invalid_token")
    answer = await client.post("/v1/email/change/confirm", json={"token": confirmation})
    assert is_problem(answer, 400, "invalid_token")
    answer = await client.post("/v1/email/change/confirm-code", json={"code": code}, headers=bearer(tokens))
    assert is_problem(answer, 400, "invalid_token")


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.LOCKED])
async def test_who_may_not_act_cannot_change_a_password(client, ada, tokens, state):
    await set_state(client, ada, state)
    assert is_problem(await change(client, tokens), 401, "invalid_token")
    await set_state(client, ada, UserState.ACTIVE)
    assert (await login(client, ada, PASSWORD)).status_code == 200


async def test_nobody_changes_a_password_without_an_access_token(client):
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert is_problem(await client.post("/v1/password/change", json=body), 401, "missing_token")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"new_password": NEW}, {("current_password", "missing")}),
        ({"current_password": PASSWORD}, {("new_password", "missing")}),
        ({"current_password": [PASSWORD], "new_password": NEW}, {("current_password", "wrong_type")}),
        (
            {"current_password": PASSWORD, "new_password": NEW, "user_id": "x"},
            {("user_id", "unknown_field")},
        ),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, tokens, body, fields):
    answer = await client.post("/v1/password/change", json=body, headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields=fields)
    assert PASSWORD not in answer.text
