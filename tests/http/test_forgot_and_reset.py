"""Forgot and reset: by the link's token or by the code, once, by who reads the mail, and nobody is signed in by it."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter

import pytest

from service.kernel.ids import parse_user_id
from service.passwords.hasher import PasswordHasher
from service.tokens.user_proof import UserProofs
from service.users.model import UserState
from service.users.repo import UserRepo
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_empty, is_problem, shown
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in
from tests.support.store import READS, RecordingMeter

NEW = "a wholly different long sentence"
HALF_HOUR = 1800
WRONG = "22222222"


@pytest.fixture
def calls(client):
    """What the store is asked before an answer, but for what is done after it: events, and mails that have left."""
    meter = RecordingMeter()
    object.__setattr__(client.app.state.services.get(UserRepo).dynamo, "meter", meter)

    def since_last():
        before_the_answer = [call for call in meter.calls if call.operation != "delete_item" and call.table != "audit"]
        meter.clear()
        reads = [call.operation for call in before_the_answer if call.operation in READS]
        return sorted(reads), [call.units for call in before_the_answer if call.operation not in READS]

    return since_last


async def forgot(client, email, **options):
    return await client.post("/v1/password/forgot", json={"email": email}, **options)


async def reset(client, new_password=NEW, **proof):
    return await client.post("/v1/password/reset", json={**proof, "new_password": new_password})


async def login(client, person, password):
    return await client.post("/v1/login", json={"identifier": person.email, "password": password})


async def ask(client, mailbox, person):
    """The token and the code of a reset."""
    count = len(mailbox.all(person.email)) + 1
    assert (await forgot(client, person.email)).status_code == 202
    return await mailbox.token(person.email, count=count), await mailbox.code(person.email, count=count)


async def ask_change(client, mailbox, tokens):
    """The token of a new address, and that address."""
    new = f"{new_name()}@example.com"
    body = {"new_email": new, "password": PASSWORD}
    assert (await client.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 202
    return await mailbox.token(new), new


async def test_enumeration_forgot_answers_all_alike_and_mails_only_who_may_act(client, mailbox, ada):
    disabled, closed, nobody, waits = [await make_person(client) for _ in range(2)] + [
        f"{new_name()}@example.com" for _ in range(2)
    ]
    await set_state(client, disabled)
    await client.delete("/v1/me", headers=bearer(await sign_in(client, closed.email)))
    await register(client, waits)
    asked = [ada.email, nobody, disabled.email, closed.email, waits, ada.email.upper()]
    answers = [await forgot(client, email) for email in asked]
    assert len({repr(shown(answer)) for answer in answers}) == 1
    assert (answers[0].status_code, answers[0].json()) == (202, {"status": "accepted"})
    assert answers[0].headers["cache-control"] == "no-store"
    await mailbox.wait(ada.email, count=2)
    assert mailbox.all(nobody) == mailbox.all(disabled.email) == mailbox.all(closed.email) == []
    assert {mail["Subject"] for mail in mailbox.all(waits)} == {"Confirm your email address"}


async def test_enumeration_forgot_asks_the_store_as_often_for_everybody(client, mailbox, ada, calls):
    disabled = await make_person(client)
    await set_state(client, disabled)
    found = []
    for email in (ada.email, f"{new_name()}@example.com", disabled.email):
        calls()
        await forgot(client, email)
        found.append(calls())
    assert found == [(["batch_get_item", "get_item"], [4])] * 3, "a transaction of two is four units"
    await mailbox.wait(ada.email)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {("email", "missing")}),
        ({"email": ""}, {("email", "too_short")}),
        ({"email": ["ada@example.com", "eve@example.com"]}, {("email", "wrong_type")}),
        ({"email": "ada@example.com", "to": "eve@example.com"}, {("to", "unknown_field")}),
    ],
)
async def test_forgot_takes_one_address_and_nothing_else(client, body, fields):
    answer = await client.post("/v1/password/forgot", json=body)
    assert is_problem(answer, 422, "invalid_fields", fields=fields)


@pytest.mark.parametrize(
    "email", ["nobody", "ada@example.com,eve@example.com", "ada@example.com\r\nBcc: e@example.com"]
)
async def test_header_injection_forgot_refuses_what_is_not_one_address(client, email):
    assert is_problem(await forgot(client, email), 422, "invalid_fields")


async def test_look_alike_address_the_mail_goes_to_the_stored_one(client, mailbox, ada):
    await forgot(client, ada.email.replace("example", "EXAMPLE").upper())
    assert (await mailbox.wait(ada.email))["To"] == ada.email
    assert len(mailbox.all(ada.email)) == 1


async def test_host_header_poisoning_the_link_is_built_from_the_configured_address(client, mailbox, ada, settings):
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    await forgot(client, ada.email, headers=headers)
    text = text_of(await mailbox.wait(ada.email))
    assert f"{settings.issuer}/password/reset?token=" in text
    assert "evil" not in text


async def test_the_mail_is_in_the_language_of_its_reader_and_says_how_long_it_works(client, mailbox, ada, tokens):
    await client.patch("/v1/me", json={"locale": "de"}, headers=bearer(tokens))
    await forgot(client, ada.email)
    mail = await mailbox.wait(ada.email)
    assert mail["Subject"] == "Wählen Sie ein neues Passwort"
    assert "30 Minuten" in text_of(mail)


async def test_the_token_sets_the_password_once_and_the_old_one_is_refused_at_once(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    assert is_empty(await reset(client, token=token))
    assert is_problem(await login(client, ada, PASSWORD), 401, "invalid_credentials")
    assert (await login(client, ada, NEW)).status_code == 200
    assert is_problem(await reset(client, PASSWORD, token=token), 400, "invalid_token")
    assert is_problem(await reset(client, PASSWORD, email=ada.email, code=code), 400, "invalid_token")
    assert (await login(client, ada, NEW)).status_code == 200


async def test_the_code_sets_the_password_once_and_spends_the_token_with_it(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    typed = code.lower().replace("-", " ")
    assert is_empty(await reset(client, email=ada.email.upper(), code=typed))
    assert (await login(client, ada, NEW)).status_code == 200
    assert is_problem(await reset(client, PASSWORD, email=ada.email, code=code), 400, "invalid_token")
    assert is_problem(await reset(client, PASSWORD, token=token), 400, "invalid_token")


@pytest.mark.parametrize("way", ["token", "code"])
async def test_a_reset_ends_every_session_and_signs_nobody_in(client, mailbox, ada, tokens, way):
    other = await sign_in(client, ada.email, device_name="Ada's phone")
    token, code = await ask(client, mailbox, ada)
    proof = {"token": token} if way == "token" else {"email": ada.email, "code": code}
    answer = await reset(client, **proof)
    assert is_empty(answer)
    assert "set-cookie" not in answer.headers
    for one in (tokens, other):
        assert is_problem(await refresh(client, one["refresh_token"]), 401, "invalid_grant")


async def test_the_owner_is_told_of_a_reset_and_the_mail_opens_nothing(client, mailbox, ada):
    token, _ = await ask(client, mailbox, ada)
    await reset(client, token=token)
    mail = await mailbox.wait(ada.email, count=2)
    assert (mail["To"], mail["Subject"]) == (ada.email, "Your password was changed")
    assert "token=" not in text_of(mail)
    assert NEW not in mail.as_string()


async def test_only_the_latest_of_two_mails_works(client, mailbox, ada):
    first, first_code = await ask(client, mailbox, ada)
    second, _ = await ask(client, mailbox, ada)
    assert is_problem(await reset(client, token=first), 400, "invalid_token")
    assert is_problem(await reset(client, email=ada.email, code=first_code), 400, "invalid_token")
    assert is_empty(await reset(client, token=second))


async def test_a_reset_expires_after_exactly_half_an_hour(client, mailbox, ada, clock):
    token, code = await ask(client, mailbox, ada)
    clock.advance(seconds=HALF_HOUR)
    for password in (NEW, "short"):
        assert is_problem(await reset(client, password, token=token), 400, "invalid_token")
        assert is_problem(await reset(client, password, email=ada.email, code=code), 400, "invalid_token")
    assert (await login(client, ada, PASSWORD)).status_code == 200


@pytest.mark.parametrize("way", ["token", "code"])
async def test_a_reset_works_in_its_last_millisecond(client, mailbox, ada, clock, way):
    token, code = await ask(client, mailbox, ada)
    clock.advance(seconds=HALF_HOUR - 0.001)
    proof = {"token": token} if way == "token" else {"email": ada.email, "code": code}
    assert is_empty(await reset(client, **proof))


async def test_a_reset_that_expires_while_the_hash_is_computed_is_refused(client, mailbox, ada, clock, monkeypatch):
    token, _ = await ask(client, mailbox, ada)
    clock.advance(seconds=HALF_HOUR - 0.001)
    quick = PasswordHasher.hash

    async def hash_slowly(self, password):
        clock.advance(seconds=0.001)
        return await quick(self, password)

    monkeypatch.setattr(PasswordHasher, "hash", hash_slowly)
    assert is_problem(await reset(client, token=token), 400, "invalid_token")


async def test_guessing_ten_wrong_codes_kill_the_code_and_leave_the_token(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    for _ in range(10):
        assert is_problem(await reset(client, email=ada.email, code=WRONG), 400, "invalid_token")
    assert is_problem(await reset(client, email=ada.email, code=code), 400, "invalid_token")
    assert is_empty(await reset(client, token=token))


async def test_nine_wrong_codes_leave_a_last_try_and_a_new_mail_gives_ten_more(client, mailbox, ada):
    for _ in range(2):
        _, code = await ask(client, mailbox, ada)
        for _ in range(9):
            await reset(client, email=ada.email, code=WRONG)
    assert is_empty(await reset(client, email=ada.email, code=code))


async def test_parallel_guessing_evaluates_ten_codes_at_most(client, mailbox, ada, monkeypatch):
    _, code = await ask(client, mailbox, ada)
    compared = []
    read_code = UserProofs.read_code

    def counted(self, user_id, text):
        compared.append(text)
        return read_code(self, user_id, text)

    monkeypatch.setattr(UserProofs, "read_code", counted)
    answers = await asyncio.gather(*(reset(client, email=ada.email, code=WRONG) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {400: 50}
    assert len(compared) == 10
    assert is_problem(await reset(client, email=ada.email, code=code), 400, "invalid_token")
    assert len(compared) == 10


async def test_a_new_password_that_is_refused_says_why_and_does_not_spend_the_reset(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    too_short = {("new_password", "password_too_short")}
    assert is_problem(await reset(client, "short", token=token), 422, "invalid_fields", fields=too_short)
    answer = await reset(client, "short", email=ada.email, code=code)
    assert is_problem(answer, 422, "invalid_fields", fields=too_short)
    for like_a_name in (f"{ada.username}{ada.username}", ada.email):
        answer = await reset(client, like_a_name, token=token)
        assert is_problem(answer, 422, "invalid_fields")
        assert {error["field"] for error in answer.json()["errors"]} == {"new_password"}
        assert like_a_name not in answer.text
    assert (await login(client, ada, PASSWORD)).status_code == 200
    assert is_empty(await reset(client, token=token))


async def test_the_policy_is_told_to_nobody_who_has_no_proof(client, ada):
    assert is_problem(await reset(client, "short", token="A" * 64), 400, "invalid_token")
    assert is_problem(await reset(client, "short", email=ada.email, code=WRONG), 400, "invalid_token")


async def test_a_disabled_user_resets_nothing_now_or_when_enabled_again(client, mailbox, ada):
    token, code = await ask(client, mailbox, ada)
    for state in (UserState.DISABLED, UserState.ACTIVE):
        await set_state(client, ada, state)
        assert is_problem(await reset(client, token=token), 400, "invalid_token")
        assert is_problem(await reset(client, email=ada.email, code=code), 400, "invalid_token")
    assert (await login(client, ada, PASSWORD)).status_code == 200


async def test_a_reset_is_void_after_a_password_change(client, mailbox, ada, tokens):
    token, code = await ask(client, mailbox, ada)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert is_empty(await client.post("/v1/password/change", json=body, headers=bearer(tokens)))
    assert is_problem(await reset(client, token=token), 400, "invalid_token")
    assert is_problem(await reset(client, email=ada.email, code=code), 400, "invalid_token")


async def test_a_reset_mailed_to_the_old_address_is_void_after_a_change_of_address(client, mailbox, ada, tokens):
    token, code = await ask(client, mailbox, ada)
    confirmation, new = await ask_change(client, mailbox, tokens)
    assert is_empty(await client.post("/v1/email/change/confirm", json={"token": confirmation}))
    assert is_problem(await reset(client, token=token), 400, "invalid_token")
    for email in (ada.email, new):
        assert is_problem(await reset(client, email=email, code=code), 400, "invalid_token")
    assert (await forgot(client, ada.email)).status_code == 202
    assert is_empty(await reset(client, token=await _asked_of(client, mailbox, new)))


async def _asked_of(client, mailbox, email):
    before = len(mailbox.all(email))
    await forgot(client, email)
    return await mailbox.token(email, count=before + 1)


async def test_a_reset_is_void_after_the_account_is_closed(client, mailbox, ada, tokens):
    token, code = await ask(client, mailbox, ada)
    assert is_empty(await client.delete("/v1/me", headers=bearer(tokens)))
    assert is_problem(await reset(client, token=token), 400, "invalid_token")
    assert is_problem(await reset(client, email=ada.email, code=code), 400, "invalid_token")


async def test_a_reset_voids_a_change_of_address_that_a_thief_has_asked_for(client, mailbox, ada, tokens):
    confirmation, _ = await ask_change(client, mailbox, tokens)
    token, _ = await ask(client, mailbox, ada)
    assert is_empty(await reset(client, token=token))
    answer = await client.post("/v1/email/change/confirm", json={"token": confirmation})
    assert is_problem(answer, 400, "invalid_token")


async def test_a_token_of_another_purpose_or_user_resets_nothing(client, mailbox, ada, tokens):
    eve = await make_person(client)
    token, code = await ask(client, mailbox, ada)
    eves, eves_code = await ask(client, mailbox, eve)
    signed_up = f"{new_name()}@example.com"
    await register(client, signed_up)
    raw = base64.urlsafe_b64decode(eves)
    forged = base64.urlsafe_b64encode(bytes(parse_user_id(ada.user_id)) + raw[16:]).decode()
    confirmation, _ = await ask_change(client, mailbox, tokens)
    for wrong in (confirmation, await mailbox.token(signed_up), forged, tokens["access_token"][:512]):
        assert is_problem(await reset(client, token=wrong), 400, "invalid_token")
    assert is_problem(await reset(client, email=ada.email, code=eves_code), 400, "invalid_token")
    assert is_problem(await reset(client, email=eve.email, code=code), 400, "invalid_token")
    answer = await client.post("/v1/email/change/confirm", json={"token": token})
    assert is_problem(answer, 400, "invalid_token")
    assert is_empty(await reset(client, token=token))


async def test_every_refusal_is_the_same_bytes(client, mailbox, ada):
    spent, code = await ask(client, mailbox, ada)
    await reset(client, token=spent)
    disabled = await make_person(client)
    answers = [
        await reset(client, token="garbage"),
        await reset(client, token="A" * 64),
        await reset(client, token=spent),
        await reset(client, email=ada.email, code=code),
        await reset(client, email=f"{new_name()}@example.com", code=code),
        await reset(client, email="no address", code=code),
        await reset(client, email=ada.email, code="too long to be a code"),
    ]
    token, code = await ask(client, mailbox, disabled)
    await set_state(client, disabled)
    answers += [await reset(client, token=token), await reset(client, email=disabled.email, code=code)]
    assert len({repr(shown(answer)) for answer in answers}) == 1


async def test_enumeration_a_wrong_code_asks_the_store_as_often_for_everybody(client, mailbox, ada, calls):
    waiting = await make_person(client)
    await ask(client, mailbox, waiting)
    found = []
    for email in (waiting.email, ada.email, f"{new_name()}@example.com"):
        calls()
        await reset(client, email=email, code=WRONG)
        reads, writes = calls()
        found.append((reads, len(writes)))
    assert found == [(["batch_get_item"], 1)] * 3


@pytest.mark.parametrize(
    ("proof", "fields"),
    [
        ({}, {("body", "invalid")}),
        ({"email": "a@example.com"}, {("body", "invalid")}),
        ({"code": "7K3M-9QXT"}, {("body", "invalid")}),
        ({"token": "A" * 64, "email": "a@example.com", "code": "7K3M-9QXT"}, {("body", "invalid")}),
        ({"token": "A" * 64, "code": "7K3M-9QXT"}, {("body", "invalid")}),
        ({"token": ["A" * 64]}, {("token", "wrong_type")}),
        ({"token": ""}, {("token", "too_short")}),
        ({"token": "A" * 64, "email": ["a@example.com"]}, {("email", "wrong_type")}),
        ({"token": "A" * 64, "user_id": "x"}, {("user_id", "unknown_field")}),
    ],
)
async def test_a_body_of_another_form_is_refused_by_field(client, proof, fields):
    assert is_problem(await reset(client, **proof), 422, "invalid_fields", fields=fields)


async def test_looking_at_the_link_consumes_nothing(client, mailbox, ada):
    token, _ = await ask(client, mailbox, ada)
    for path in ("/password/reset", "/v1/password/reset"):
        for method in ("GET", "HEAD", "OPTIONS"):
            await client.request(method, path, params={"token": token})
    assert is_empty(await reset(client, token=token))
