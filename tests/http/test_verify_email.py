"""Confirm an address: by the link's token or by the code, once, by its owner."""

from __future__ import annotations

import asyncio
import re

import pytest

from service.accounts.forgot_password import ForgotPassword
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_empty, is_problem, shown
from tests.support.mailbox import text_of
from tests.support.people import register, sign_in, sign_up

DAY = 86_400


@pytest.fixture
async def email(client):
    address = f"{new_name()}@example.com"
    await register(client, address)
    return address


async def verify(client, **body):
    return await client.post("/v1/email/verify", json=body)


async def test_the_token_confirms_once(client, mailbox, email):
    token = await mailbox.token(email)
    assert is_empty(await verify(client, token=token))
    await sign_in(client, email)
    assert is_problem(await verify(client, token=token), 400, "invalid_token")


async def test_the_code_confirms_once_and_spends_the_token_with_it(client, mailbox, email):
    code, token = await mailbox.code(email), await mailbox.token(email)
    assert is_empty(await verify(client, email=email, code=code))
    await sign_in(client, email)
    assert is_problem(await verify(client, email=email, code=code), 400, "invalid_token")
    assert is_problem(await verify(client, token=token), 400, "invalid_token")


async def test_a_confirmation_signs_nobody_in(client, mailbox, email):
    answer = await verify(client, token=await mailbox.token(email))
    assert is_empty(answer)
    assert "set-cookie" not in answer.headers


SPELLINGS = {
    "lower case": str.lower,
    "no hyphen": lambda code: code.replace("-", ""),
    "blanks": lambda code: " " + " ".join(code) + " ",
    "0 read as O": lambda code: code.replace("0", "O"),
    "0 read as o": lambda code: code.replace("0", "o"),
    "1 read as I": lambda code: code.replace("1", "I"),
    "1 read as l": lambda code: code.replace("1", "l"),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
async def test_a_code_is_read_as_people_type_it(client, mailbox, email, spell):
    code = await mailbox.code(email)
    assert is_empty(await verify(client, email=email.upper(), code=spell(code)))


async def test_a_code_with_0_and_1_may_be_typed_with_o_and_i(client, mailbox):
    """Codes are drawn: draw until one has what is misread."""
    for _ in range(40):
        email = f"{new_name()}@example.com"
        await register(client, email)
        code = await mailbox.code(email)
        if "0" in code or "1" in code:
            break
    else:
        raise AssertionError(f"no 0 or 1 in 40 codes: {code}")
    assert is_empty(await verify(client, email=email, code=code.replace("0", "O").replace("1", "I").lower()))


async def test_guessing_a_wrong_code_is_refused(client, mailbox, email):
    code = await mailbox.code(email)
    wrong = ("2" if code[0] != "2" else "3") + code[1:]
    assert is_problem(await verify(client, email=email, code=wrong), 400, "invalid_token")
    assert is_empty(await verify(client, email=email, code=code))


async def test_somebody_elses_code_or_address_is_refused(client, mailbox, email):
    other = f"{new_name()}@example.com"
    await register(client, other)
    code, others = await mailbox.code(email), await mailbox.code(other)
    assert is_problem(await verify(client, email=other, code=code), 400, "invalid_token")
    assert is_problem(await verify(client, email=email, code=others), 400, "invalid_token")
    assert is_problem(await verify(client, email="not an address", code=code), 400, "invalid_token")


async def test_a_sign_up_expires_after_a_day(client, mailbox, email, clock):
    token, code = await mailbox.token(email), await mailbox.code(email)
    clock.advance(seconds=DAY)
    assert is_problem(await verify(client, token=token), 400, "invalid_token")
    assert is_problem(await verify(client, email=email, code=code), 400, "invalid_token")


async def test_a_sign_up_may_be_confirmed_in_its_last_second(client, mailbox, email, clock):
    clock.advance(seconds=DAY - 1)
    assert is_empty(await verify(client, token=await mailbox.token(email)))


@pytest.mark.parametrize("token", ["garbage", "A" * 64, "-" * 64, "é" * 64, "A" * 512], ids=range(5))
async def test_garbage_is_refused(client, token):
    assert is_problem(await verify(client, token=token), 400, "invalid_token")


async def test_a_token_whose_secret_was_changed_is_refused(client, mailbox, email):
    token = await mailbox.token(email)
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert is_problem(await verify(client, token=forged), 400, "invalid_token")
    assert is_empty(await verify(client, token=token))


async def test_every_refusal_is_the_same_bytes(client, mailbox, email, clock):
    token, code = await mailbox.token(email), await mailbox.code(email)
    answers = [
        await verify(client, token="garbage"),
        await verify(client, email=f"{new_name()}@example.com", code=code),
        await verify(client, email=email, code="22222222"),
        await verify(client, email=email, code="too long to be a code"),
    ]
    await verify(client, token=token)
    answers += [await verify(client, token=token), await verify(client, email=email, code=code)]
    assert len({repr(shown(answer)) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {("body", "invalid")}),
        ({"email": "a@example.com"}, {("body", "invalid")}),
        ({"code": "7K3M-9QXT"}, {("body", "invalid")}),
        ({"token": "A" * 64, "email": "a@example.com", "code": "7K3M-9QXT"}, {("body", "invalid")}),
        ({"token": ""}, {("token", "too_short")}),
        ({"token": "x" * 513}, {("token", "too_long")}),
        ({"email": "a@example.com", "code": 12345678}, {("code", "wrong_type")}),
        ({"email": "a@example.com", "code": "x" * 33}, {("code", "too_long")}),
        ({"token": "A" * 64, "password": "x"}, {("password", "unknown_field")}),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, body, fields):
    assert is_problem(await client.post("/v1/email/verify", json=body), 422, "invalid_fields", fields=fields)


async def test_the_second_of_two_sign_ups_for_one_address_comes_too_late(client, mailbox, email):
    await register(client, email, password="the second horse battery staple")
    second = await mailbox.token(email, count=2)
    first = next(token for token in await _tokens(mailbox, email) if token != second)
    assert is_empty(await verify(client, token=first))
    assert is_problem(await verify(client, token=second), 400, "invalid_token")
    await sign_in(client, email)


async def test_a_username_taken_meanwhile_is_told_and_does_not_spend_the_sign_up(client, mailbox):
    username, email = new_name(), f"{new_name()}@example.com"
    await register(client, email, username=username)
    token = await mailbox.token(email)
    await sign_up(client, mailbox, f"{new_name()}@example.com", username=username)
    for _ in range(2):
        assert is_problem(await verify(client, token=token), 409, "username_taken")
    await register(client, email)
    assert is_empty(await verify(client, token=await mailbox.token(email, count=2)))
    await sign_in(client, email)


async def _tokens(mailbox, email):
    return [re.search(r"token=([\w.~-]+)", text_of(mail))[1] for mail in mailbox.all(email)]


async def test_resend_mails_a_fresh_token_that_works(client, mailbox, email):
    first = await mailbox.token(email)
    answer = await client.post("/v1/email/resend", json={"email": email.upper()})
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    again = await mailbox.token(email, count=2)
    assert again != first
    assert is_empty(await verify(client, token=again))
    assert is_problem(await verify(client, token=first), 400, "invalid_token")


async def test_the_link_and_the_code_before_a_resend_are_dead_at_once(client, mailbox, email):
    first, code = await mailbox.token(email), await mailbox.code(email)
    await client.post("/v1/email/resend", json={"email": email})
    again = await mailbox.token(email, count=2)
    assert is_problem(await verify(client, token=first), 400, "invalid_token")
    assert is_problem(await verify(client, email=email, code=code), 400, "invalid_token")
    assert is_empty(await verify(client, token=again))


async def test_of_resends_at_once_one_is_mailed_and_its_link_is_the_only_one(client, mailbox, email, clock):
    first = await mailbox.token(email)
    body = {"email": email}
    answers = await asyncio.gather(*(client.post("/v1/email/resend", json=body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    await client.app.state.services.get(ForgotPassword).outbox.drain(10)
    tokens = await _tokens(mailbox, email)
    works = [token for token in tokens if (await verify(client, token=token)).status_code == 204]
    assert len(works) == 1
    assert first not in works


async def test_resend_gives_a_fresh_day(client, mailbox, email, clock):
    await mailbox.wait(email)
    clock.advance(seconds=DAY - 1)
    await client.post("/v1/email/resend", json={"email": email})
    token = await mailbox.token(email, count=2)
    clock.advance(seconds=DAY - 1)
    assert is_empty(await verify(client, token=token))


async def test_enumeration_resend_answers_all_alike_and_mails_only_who_waits(client, mailbox, email, clock):
    person, nobody = await make_person(client), f"{new_name()}@example.com"
    await register(client, person.email)
    await mailbox.wait(person.email)
    answers = [await client.post("/v1/email/resend", json={"email": who}) for who in (email, person.email, nobody)]
    await mailbox.wait(email, count=2)
    clock.advance(seconds=DAY)
    answers.append(await client.post("/v1/email/resend", json={"email": email}))
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert len(mailbox.all(email)) == 2
    assert len(mailbox.all(person.email)) == 1
    assert mailbox.all(nobody) == []


@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": "nobody"}, {"email": ["a@example.com"]}])
async def test_resend_refuses_what_is_no_address(client, body):
    assert is_problem(await client.post("/v1/email/resend", json=body), 422, "invalid_fields")
