"""The owner is told of a sign-in from a device that the account does not know: once, and whatever strangers do."""

from __future__ import annotations

import asyncio

import pytest

from service.sessions.repo import SessionRepo
from service.signin.flows import SignIn
from service.store.errors import StoreUnavailable
from service.throttle.device_headers import DEVICE_COOKIE, DEVICE_HEADER
from service.throttle.limits import MAIL_OF_NEW_DEVICES, MAIL_TO_ADDRESS
from service.throttle.quotas import StoredQuotas
from service.web.cookies import REFRESH_COOKIE
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_empty, is_problem
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, sign_up

OURS = {"X-Keyturn-Request": "1", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def environ(environ):
    """As it is run: mails are bounded."""
    return {**environ, "KEYTURN_THROTTLE": "on"}


async def login(client, person, *, device=None, password=PASSWORD, name=None, **fields):
    headers = {} if device is None else {DEVICE_HEADER: device}
    body = {"identifier": name or person.email, "password": password, **fields}
    return await client.post("/v1/login", json=body, headers=headers)


async def told(client, mailbox, address):
    """The mails about new devices, once none is under way."""
    outbox = client.app.state.services.get(SignIn).new_devices.outbox
    while outbox._tasks:
        await asyncio.wait(set(outbox._tasks))
    return mailbox.all(address, devices=True)


async def first_device(client, person):
    """The token of the device that signed in first."""
    answer = await login(client, person)
    assert answer.status_code == 200, answer.text
    return answer.headers[DEVICE_HEADER]


async def test_the_first_sign_in_after_a_sign_up_is_no_news(client, mailbox):
    email = f"{new_name()}@example.com"
    await sign_up(client, mailbox, email)
    assert (await client.post("/v1/login", json={"identifier": email, "password": PASSWORD})).status_code == 200
    assert await told(client, mailbox, email) == []


async def test_of_an_unknown_device_the_owner_is_told_what_where_and_when(client, mailbox, ada):
    await first_device(client, ada)
    client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux)"
    assert (await login(client, ada)).status_code == 200
    (mail,) = await told(client, mailbox, ada.email)
    assert (mail["To"], mail["Subject"]) == (ada.email, "New sign-in to your account")
    for line in ("Device:  Mozilla 5.0 (X11 Linux)", "Address: 127.0.0.0/24", "Time:    2027-01-15 08:00 UTC"):
        assert line in text_of(mail)
    assert "token=" not in text_of(mail)


async def test_the_mail_is_in_the_owners_language(client, mailbox, ada):
    tokens = (await login(client, ada)).json()
    await client.patch("/v1/me", json={"locale": "de-AT"}, headers=bearer(tokens))
    await login(client, ada, device_name="Adas Telefon")
    (mail,) = await told(client, mailbox, ada.email)
    assert mail["Subject"] == "Neue Anmeldung bei Ihrem Konto"
    assert "Gerät:   Adas Telefon" in text_of(mail)


async def test_a_device_is_told_of_once_and_known_from_then_on(client, mailbox, ada):
    await first_device(client, ada)
    device = (await login(client, ada)).headers[DEVICE_HEADER]
    for name in (ada.email, ada.username):
        device = (await login(client, ada, device=device, name=name)).headers[DEVICE_HEADER]
    assert len(await told(client, mailbox, ada.email)) == 1


async def test_a_browser_is_known_by_its_cookie(client, mailbox, ada):
    body = {"identifier": ada.email, "password": PASSWORD, "transport": "cookie"}
    await first_device(client, ada)
    for _ in range(3):
        answer = await client.post("/v1/login", json=body, headers=OURS)
        cookies = [line.partition(";")[0] for line in answer.headers.get_list("set-cookie")]
        client.cookies.clear()
        client.headers["Cookie"] = next(one for one in cookies if one.startswith(DEVICE_COOKIE))
        assert REFRESH_COOKIE not in client.headers["Cookie"]
    assert len(await told(client, mailbox, ada.email)) == 1


async def test_a_device_stays_known_when_the_only_name_changes(client, mailbox):
    old, new = f"{new_name()}@example.com", f"{new_name()}@example.com"
    await sign_up(client, mailbox, old)
    answer = await client.post("/v1/login", json={"identifier": old, "password": PASSWORD})
    await client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD}, headers=bearer(answer.json()))
    assert is_empty(await client.post("/v1/email/change/confirm", json={"token": await mailbox.token(new)}))
    headers = {DEVICE_HEADER: answer.headers[DEVICE_HEADER]}
    answer = await client.post("/v1/login", json={"identifier": new, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200
    assert await told(client, mailbox, new) == []


@pytest.mark.parametrize("whose", ["another account's", "forged", "expired"])
async def test_a_device_token_that_is_not_this_accounts_makes_no_device_known(client, mailbox, ada, clock, whose):
    device = await first_device(client, ada)
    if whose == "another account's":
        device = await first_device(client, await make_person(client))
    elif whose == "forged":
        device = device[:12] + ("AA" if device[12:14] != "AA" else "BB") + device[14:]
    else:
        clock.advance(seconds=180 * 86_400)
    assert (await login(client, ada, device=device)).status_code == 200
    assert len(await told(client, mailbox, ada.email)) == 1


async def test_who_does_not_know_the_password_causes_no_mail(client, mailbox, ada):
    await first_device(client, ada)
    assert is_problem(await login(client, ada, password="not " + PASSWORD), 401, "invalid_credentials")
    assert await told(client, mailbox, ada.email) == []


async def test_of_first_sign_ins_at_once_one_is_the_first(client, mailbox, ada):
    answers = await asyncio.gather(*(login(client, ada) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(await told(client, mailbox, ada.email)) == 3


async def test_a_thief_is_announced_though_strangers_have_used_up_the_mails_of_the_address(client, mailbox, ada):
    await first_device(client, ada)
    for _ in range(MAIL_TO_ADDRESS.burst + 1):
        await client.post("/v1/password/forgot", json={"email": ada.email})
    await login(client, ada)
    assert len(await told(client, mailbox, ada.email)) == 1


async def test_many_new_devices_are_a_few_mails_and_all_sign_in(client, mailbox, ada, clock):
    await first_device(client, ada)
    burst = MAIL_OF_NEW_DEVICES.burst
    answers = [await login(client, ada) for _ in range(burst + 2)]
    assert [answer.status_code for answer in answers] == [200] * (burst + 2)
    assert len(await told(client, mailbox, ada.email)) == burst
    clock.advance(seconds=MAIL_OF_NEW_DEVICES.interval_seconds)
    await login(client, ada)
    assert len(await told(client, mailbox, ada.email)) == burst + 1


async def test_the_mail_goes_out_while_it_cannot_be_counted(client, mailbox, ada, monkeypatch):
    await first_device(client, ada)

    async def away(_self, _quota, _subject):
        raise StoreUnavailable("away")

    monkeypatch.setattr(StoredQuotas, "take", away)
    assert (await login(client, ada)).status_code == 200
    assert len(await told(client, mailbox, ada.email)) == 1


async def test_no_tokens_are_handed_out_and_no_mail_leaves_while_the_two_cannot_be_stored(
    client, mailbox, ada, monkeypatch
):
    await first_device(client, ada)

    async def away(_self, _session, _letter):
        raise StoreUnavailable("away")

    monkeypatch.setattr(SessionRepo, "create_and_tell", away)
    assert is_problem(await login(client, ada), 503, "unavailable")
    assert await told(client, mailbox, ada.email) == []
