"""Change the address: asked for with the password, in effect when the new address confirms; the old one is told."""

from __future__ import annotations

import asyncio

import pytest

from service.tokens.user_proof import UserProofs
from service.users.model import UserState
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_empty, is_problem, shown
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in, sign_up

HALF_HOUR = 1800
WRONG = "22222222"


@pytest.fixture
def new():
    """An address that is nobody's."""
    return f"{new_name()}@example.com"


async def ask(client, tokens, new, *, password=PASSWORD):
    body = {"new_email": new, "password": password}
    return await client.post("/v1/email/change", json=body, headers=bearer(tokens))


async def confirm(client, token):
    return await client.post("/v1/email/change/confirm", json={"token": token})


async def confirm_code(client, tokens, code):
    return await client.post("/v1/email/change/confirm-code", json={"code": code}, headers=bearer(tokens))


async def login(client, identifier, password=PASSWORD):
    return await client.post("/v1/login", json={"identifier": identifier, "password": password})


async def me(client, tokens):
    return (await client.get("/v1/me", headers=bearer(tokens))).json()


async def test_the_address_changes_when_the_new_one_confirms_and_not_before(client, mailbox, ada, tokens, new):
    answer = await ask(client, tokens, new)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    token = await mailbox.token(new)
    assert (await me(client, tokens))["email"] == ada.email
    assert (await login(client, ada.email)).status_code == 200
    assert is_problem(await login(client, new), 401, "invalid_credentials")

    assert is_empty(await confirm(client, token))
    assert (await me(client, tokens))["email"] == new
    assert (await login(client, new)).status_code == 200
    assert (await login(client, ada.username)).status_code == 200
    assert is_problem(await login(client, ada.email), 401, "invalid_credentials")
    assert is_problem(await confirm(client, token), 400, "invalid_token")


async def test_a_confirmation_needs_no_access_token_and_signs_nobody_in(client, mailbox, tokens, new):
    await ask(client, tokens, new)
    answer = await confirm(client, await mailbox.token(new))
    assert is_empty(answer)
    assert "set-cookie" not in answer.headers
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200


async def test_the_code_confirms_on_the_device_that_asked(client, mailbox, ada, tokens, new):
    await ask(client, tokens, new)
    token, code = await mailbox.token(new), await mailbox.code(new)
    eves = await sign_in(client, (await make_person(client)).email)
    answer = await client.post("/v1/email/change/confirm-code", json={"code": code})
    assert is_problem(answer, 401, "missing_token")
    assert is_problem(await confirm_code(client, eves, code), 400, "invalid_token")
    assert (await me(client, tokens))["email"] == ada.email
    assert is_empty(await confirm_code(client, tokens, code.lower().replace("-", " ")))
    assert (await me(client, tokens))["email"] == new
    assert is_problem(await confirm(client, token), 400, "invalid_token")


async def test_both_addresses_are_told_and_not_before_the_change(client, mailbox, ada, tokens, new):
    await client.patch("/v1/me", json={"locale": "de"}, headers=bearer(tokens))
    await ask(client, tokens, new)
    token = await mailbox.token(new)
    assert mailbox.all(ada.email) == []
    await confirm(client, token)
    told = await mailbox.wait(ada.email)
    assert told["Subject"] == "Ihre E-Mail-Adresse wurde geändert"
    assert new not in text_of(told)
    assert "token=" not in text_of(told)
    welcome = await mailbox.wait(new, count=2)
    assert welcome["Subject"] == "Das ist die neue E-Mail-Adresse Ihres Kontos"
    assert "token=" not in text_of(welcome)
    assert ada.email not in text_of(welcome)


async def test_a_stolen_access_token_alone_changes_no_address(client, mailbox, tokens, new):
    for wrong in ("not " + PASSWORD, PASSWORD + " "):
        assert is_problem(await ask(client, tokens, new, password=wrong), 401, "invalid_credentials")
    assert is_empty_handed(await ask(client, tokens, new))
    await mailbox.wait(new)
    assert len(mailbox.all(new)) == 1


def is_empty_handed(answer):
    return (answer.status_code, answer.json()) == (202, {"status": "accepted"})


async def test_enumeration_a_free_and_a_taken_address_answer_alike_and_the_owner_is_told(client, mailbox, tokens, new):
    bob = await make_person(client)
    held = f"{new_name()}@example.com"
    await register(client, held)
    answers = [await ask(client, tokens, email) for email in (new, bob.email, bob.email.upper(), held)]
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert is_empty_handed(answers[0])
    mail = await mailbox.wait(bob.email, count=2)
    assert mail["Subject"] == "You already have an account"
    assert "token=" not in text_of(mail)


async def test_a_taken_address_cannot_be_confirmed(client, mailbox, ada, tokens, new):
    """It went to somebody else after the mail was sent."""
    await ask(client, tokens, new)
    token = await mailbox.token(new)
    await sign_up_second(client, mailbox, new)
    assert is_problem(await confirm(client, token), 400, "invalid_token")
    assert is_problem(await confirm_code(client, tokens, await first_code(mailbox, new)), 400, "invalid_token")
    assert (await me(client, tokens))["email"] == ada.email
    assert (await login(client, new, "the second horse battery staple")).status_code == 200


async def sign_up_second(client, mailbox, email):
    await register(client, email, password="the second horse battery staple")
    answer = await client.post("/v1/email/verify", json={"token": await mailbox.token(email, count=2)})
    assert is_empty(answer)


async def first_code(mailbox, email):
    await mailbox.wait(email, count=2)
    change = next(mail for mail in mailbox.all(email) if mail["Subject"] == "Confirm your new email address")
    return next(line for line in text_of(change).splitlines() if len(line) == 9 and line[4] == "-")


async def test_the_old_address_is_free_and_the_new_one_taken_in_every_spelling(client, mailbox, ada, tokens, new):
    await ask(client, tokens, new.upper())
    assert is_empty(await confirm(client, await mailbox.token(new)))
    await mailbox.wait(new, count=2)
    bob = await sign_in(client, (await make_person(client)).email)
    for number, spelling in enumerate((new, new.upper(), new.title()), start=3):
        await ask(client, bob, spelling)
        assert (await mailbox.wait(new, count=number))["Subject"] == "You already have an account"
        assert (await login(client, spelling)).status_code == 200
    before = len(mailbox.all(ada.email))
    await register(client, ada.email, password="the second horse battery staple")
    token = await mailbox.token(ada.email, count=before + 1)
    assert is_empty(await client.post("/v1/email/verify", json={"token": token}))
    assert (await login(client, ada.email, "the second horse battery staple")).status_code == 200
    assert is_problem(await login(client, ada.email), 401, "invalid_credentials")


async def test_there_and_back_again(client, mailbox, ada, tokens, new):
    await ask(client, tokens, new)
    await confirm(client, await mailbox.token(new))
    await mailbox.wait(ada.email)
    await ask(client, tokens, ada.email)
    assert is_empty(await confirm(client, await mailbox.token(ada.email, count=2)))
    assert (await me(client, tokens))["email"] == ada.email
    await sign_up(client, mailbox_after(mailbox, new), new)


def mailbox_after(mailbox, email):
    """The mailbox, as if what ``email`` has had were read and gone."""
    for path in (mailbox._folder / "new").glob("*"):
        if f"To: {email}" in path.read_text():
            path.unlink()
    return mailbox


async def test_the_address_that_it_is_already_is_refused_in_every_spelling(client, ada, tokens):
    for same in (ada.email, ada.email.upper()):
        answer = await ask(client, tokens, same)
        assert is_problem(answer, 422, "invalid_fields", fields={("new_email", "same_address")})


@pytest.mark.parametrize("new_email", ["nobody", "a@b", "a@example.com,b@example.com", "a@example.com\r\nBcc: b@c.de"])
async def test_header_injection_what_is_not_one_address_is_refused(client, tokens, new_email):
    answer = await ask(client, tokens, new_email)
    assert is_problem(answer, 422, "invalid_fields")
    assert {error["field"] for error in answer.json()["errors"]} == {"new_email"}


async def test_only_the_latest_of_two_changes_can_be_confirmed(client, mailbox, tokens, new):
    other = f"{new_name()}@example.com"
    await ask(client, tokens, new)
    first, first_one = await mailbox.token(new), await mailbox.code(new)
    await ask(client, tokens, other)
    second = await mailbox.token(other)
    assert is_problem(await confirm(client, first), 400, "invalid_token")
    assert is_problem(await confirm_code(client, tokens, first_one), 400, "invalid_token")
    assert is_empty(await confirm(client, second))
    assert (await me(client, tokens))["email"] == other


async def test_a_change_expires_after_exactly_half_an_hour(client, mailbox, ada, new, clock):
    tokens = await sign_in(client, ada.email)
    await ask(client, tokens, new)
    token, code = await mailbox.token(new), await mailbox.code(new)
    clock.advance(seconds=HALF_HOUR)
    fresh = await sign_in(client, ada.email)
    assert is_problem(await confirm(client, token), 400, "invalid_token")
    assert is_problem(await confirm_code(client, fresh, code), 400, "invalid_token")


async def test_a_change_can_be_confirmed_in_its_last_millisecond(client, mailbox, tokens, new, clock):
    await ask(client, tokens, new)
    token = await mailbox.token(new)
    clock.advance(seconds=HALF_HOUR - 0.001)
    assert is_empty(await confirm(client, token))


async def test_guessing_ten_wrong_codes_kill_the_code_and_leave_the_token(client, mailbox, tokens, new):
    await ask(client, tokens, new)
    token, code = await mailbox.token(new), await mailbox.code(new)
    for _ in range(10):
        assert is_problem(await confirm_code(client, tokens, WRONG), 400, "invalid_token")
    assert is_problem(await confirm_code(client, tokens, code), 400, "invalid_token")
    assert is_empty(await confirm(client, token))


async def test_parallel_guessing_evaluates_ten_codes_at_most(client, mailbox, tokens, new, monkeypatch):
    await ask(client, tokens, new)
    await mailbox.wait(new)
    compared = []
    monkeypatch.setattr(UserProofs, "read_code", lambda _self, user_id, text: compared.append((user_id, text)))
    await asyncio.gather(*(confirm_code(client, tokens, WRONG) for _ in range(30)))
    assert len(compared) == 10


async def test_a_change_is_void_after_the_account_was_disabled_or_locked(client, mailbox, ada, tokens, new):
    for number, state in enumerate((UserState.DISABLED, UserState.LOCKED), start=1):
        await ask(client, tokens, new)
        token, code = await mailbox.token(new, count=number), await mailbox.code(new, count=number)
        for now in (state, UserState.ACTIVE):
            await set_state(client, ada, now)
            assert is_problem(await confirm(client, token), 400, "invalid_token")
            assert is_problem(await confirm_code(client, tokens, code), 400, "invalid_token")
        tokens = await sign_in(client, ada.email)
        assert is_problem(await confirm_code(client, tokens, code), 400, "invalid_token")
    assert (await login(client, ada.email)).status_code == 200


async def test_a_change_is_void_after_the_account_is_closed(client, mailbox, tokens, new):
    await ask(client, tokens, new)
    token = await mailbox.token(new)
    assert is_empty(await client.delete("/v1/me", headers=bearer(tokens)))
    assert is_problem(await confirm(client, token), 400, "invalid_token")


@pytest.mark.parametrize("state", [UserState.DISABLED, UserState.LOCKED])
async def test_who_may_not_act_cannot_ask(client, ada, tokens, new, state):
    await set_state(client, ada, state)
    assert is_problem(await ask(client, tokens, new), 401, "invalid_token")


async def test_a_token_of_another_purpose_confirms_nothing(client, mailbox, ada, tokens, new):
    await client.post("/v1/password/forgot", json={"email": ada.email})
    reset = await mailbox.token(ada.email)
    await ask(client, tokens, new)
    for wrong in (reset, "garbage", "A" * 64, tokens["access_token"][:512]):
        assert is_problem(await confirm(client, wrong), 400, "invalid_token")
    assert is_empty(await confirm(client, await mailbox.token(new)))


async def test_two_users_who_confirm_one_address_at_once_one_has_it(client, mailbox, ada, tokens, new):
    bob = await make_person(client)
    bobs = await sign_in(client, bob.email)
    await ask(client, tokens, new)
    first = await mailbox.token(new)
    await ask(client, bobs, new)
    second = await mailbox.token(new, count=2)
    answers = await asyncio.gather(confirm(client, first), confirm(client, second))
    assert sorted(answer.status_code for answer in answers) == [204, 400]
    emails = [(await me(client, tokens))["email"], (await me(client, bobs))["email"]]
    assert emails == ([new, bob.email] if answers[0].status_code == 204 else [ada.email, new])


async def test_a_confirmation_that_is_sent_eight_times_at_once_counts_once(client, mailbox, ada, tokens, new):
    await ask(client, tokens, new)
    await ask(client, tokens, new)
    token = await mailbox.token(new, count=2)
    answers = await asyncio.gather(*(confirm(client, token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [204] + [400] * 7
    assert (await login(client, new)).status_code == 200
    assert is_problem(await login(client, ada.email), 401, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"new_email": "a@example.com"}, {("password", "missing")}),
        ({"password": PASSWORD}, {("new_email", "missing")}),
        ({"new_email": ["a@example.com"], "password": PASSWORD}, {("new_email", "wrong_type")}),
        ({"new_email": "a@example.com", "password": PASSWORD, "user_id": "x"}, {("user_id", "unknown_field")}),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, tokens, body, fields):
    answer = await client.post("/v1/email/change", json=body, headers=bearer(tokens))
    assert is_problem(answer, 422, "invalid_fields", fields=fields)


async def test_nobody_asks_without_an_access_token(client, new):
    answer = await client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD})
    assert is_problem(answer, 401, "missing_token")


async def test_an_ended_session_cannot_close_the_account_with_its_living_access_token(client, ada, tokens):
    await client.post("/v1/logout", json={"refresh_token": tokens["refresh_token"]})
    assert is_problem(await client.delete("/v1/me", headers=bearer(tokens)), 401, "invalid_token")
    other = await sign_in(client, ada.email)
    thief = await sign_in(client, ada.email)
    await client.post("/v1/logout-all", headers=bearer(other))
    assert is_problem(await client.delete("/v1/me", headers=bearer(thief)), 401, "invalid_token")
    assert (await login(client, ada.email)).status_code == 200
