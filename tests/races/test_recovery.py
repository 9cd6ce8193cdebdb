"""Resets and changes of one account that come at once: one of them happens, wholly, and no session slips through."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.support.accounts import make_person, new_name
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in

ROUNDS = 6
AT_ONCE = 20


def sentence(number):
    return f"long sentence number {number} of many"


@pytest.fixture
async def ada(client):
    return await make_person(client)


async def reset(client, new_password, **proof):
    return await client.post("/v1/password/reset", json={**proof, "new_password": new_password})


async def change(client, tokens, new_password):
    body = {"current_password": PASSWORD, "new_password": new_password}
    return await client.post("/v1/password/change", json=body, headers=bearer(tokens))


async def opens(client, person, password):
    body = {"identifier": person.username, "password": password}
    return (await client.post("/v1/login", json=body)).status_code == 200


async def ask(client, mailbox, person):
    """The token and the code of a reset."""
    count = len(mailbox.all(person.email)) + 1
    await client.post("/v1/password/forgot", json={"email": person.email})
    return await mailbox.token(person.email, count=count), await mailbox.code(person.email, count=count)


async def ask_change(client, mailbox, tokens, new):
    count = len(mailbox.all(new)) + 1
    await client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD}, headers=bearer(tokens))
    return await mailbox.token(new, count=count)


async def confirm(client, token):
    return await client.post("/v1/email/change/confirm", json={"token": token})


async def test_of_twenty_resets_with_one_mail_one_sets_the_password(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    proofs = [{"token": token} if number % 4 else {"email": ada.email, "code": code} for number in range(AT_ONCE)]
    answers = await asyncio.gather(*(reset(client, sentence(number), **proofs[number]) for number in range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {204: 1, 400: AT_ONCE - 1}
    opened = [await opens(client, ada, sentence(number)) for number in range(AT_ONCE)]
    assert opened == [answer.status_code == 204 for answer in answers]
    await mailbox.wait(ada.email, count=2)
    assert len(mailbox.all(ada.email)) == 2


async def test_of_a_reset_and_a_change_at_once_one_happens(client, mailbox):
    for _ in range(ROUNDS):
        person = await make_person(client)
        tokens = await sign_in(client, person.email)
        token, _ = await ask(client, mailbox, person)
        by_reset, by_change = await asyncio.gather(
            reset(client, sentence(1), token=token), change(client, tokens, sentence(2))
        )
        assert [by_reset.status_code, by_change.status_code].count(204) == 1
        assert await opens(client, person, sentence(1)) == (by_reset.status_code == 204)
        assert await opens(client, person, sentence(2)) == (by_change.status_code == 204)
        alive = (await refresh(client, tokens["refresh_token"])).status_code == 200
        assert alive == (by_change.status_code == 204)


async def test_no_session_that_began_with_the_old_password_outlives_the_reset(client, mailbox):
    for _ in range(ROUNDS):
        person = await make_person(client)
        token, _ = await ask(client, mailbox, person)
        body = {"identifier": person.email, "password": PASSWORD}
        answer, *logins = await asyncio.gather(
            reset(client, sentence(1), token=token), *(client.post("/v1/login", json=body) for _ in range(8))
        )
        assert answer.status_code == 204
        for login in logins:
            if login.status_code == 200:
                assert (await refresh(client, login.json()["refresh_token"])).status_code == 401


async def test_of_a_reset_and_a_new_address_at_once_one_happens(client, mailbox):
    for _ in range(ROUNDS):
        person, new = await make_person(client), f"{new_name()}@example.com"
        tokens = await sign_in(client, person.email)
        token, _ = await ask(client, mailbox, person)
        confirmation = await ask_change(client, mailbox, tokens, new)
        answers = await asyncio.gather(reset(client, sentence(1), token=token), confirm(client, confirmation))
        assert sorted(answer.status_code for answer in answers) == [204, 400]
        assert await opens(client, person, sentence(1)) == (answers[0].status_code == 204)


async def test_of_a_reset_and_the_closing_of_the_account_at_once_one_happens(client, mailbox):
    for _ in range(ROUNDS):
        person = await make_person(client)
        tokens = await sign_in(client, person.email)
        token, _ = await ask(client, mailbox, person)
        by_reset, closing = await asyncio.gather(
            reset(client, sentence(1), token=token), client.delete("/v1/me", headers=bearer(tokens))
        )
        assert [by_reset.status_code, closing.status_code].count(204) == 1
        assert await opens(client, person, sentence(1)) == (by_reset.status_code == 204)


async def test_of_resets_asked_for_at_once_one_works(client, mailbox, ada):
    await asyncio.gather(*(client.post("/v1/password/forgot", json={"email": ada.email}) for _ in range(5)))
    await mailbox.wait(ada.email, count=5)
    found = [one for one in mailbox.all(ada.email) if one["Subject"] == "Choose a new password"]
    assert len(found) == 5
    tokens = [str(mail.get_body(("plain",))).partition("token=")[2].split()[0] for mail in found]
    answers = [await reset(client, sentence(1), token=token) for token in tokens]
    assert Counter(answer.status_code for answer in answers) == {204: 1, 400: 4}


async def test_an_address_that_two_users_and_a_sign_up_want_at_once_is_one_accounts(client, mailbox):
    for _ in range(ROUNDS):
        wanted = f"{new_name()}@example.com"
        people = [await make_person(client) for _ in range(2)]
        tokens = [await sign_in(client, person.email) for person in people]
        first, second = [await ask_change(client, mailbox, one, wanted) for one in tokens]
        await register(client, wanted, password=sentence(9))
        signed_up = await mailbox.token(wanted, count=3)
        answers = await asyncio.gather(
            confirm(client, first),
            confirm(client, second),
            client.post("/v1/email/verify", json={"token": signed_up}),
        )
        assert sorted(answer.status_code for answer in answers) == [204, 400, 400]
        emails = [(await client.get("/v1/me", headers=bearer(one))).json()["email"] for one in tokens]
        for index, person in enumerate(people):
            assert emails[index] == (wanted if answers[index].status_code == 204 else person.email)
        body = {"identifier": wanted, "password": sentence(9)}
        login = await client.post("/v1/login", json=body)
        assert (login.status_code == 200) == (answers[2].status_code == 204)
