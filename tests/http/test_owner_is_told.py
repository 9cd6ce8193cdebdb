"""What an owner is told by mail: to which address, in which language, once, and with nothing that opens a door."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from service.accounts.forgot_password import ForgotPassword
from tests.support.accounts import new_name
from tests.support.answers import is_empty, is_problem
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, refresh

NEW = "a wholly different long sentence"


@dataclass(frozen=True)
class Of:
    """Whom it happens to, and with what it is watched."""

    client: object
    mailbox: object
    ada: object
    tokens: dict
    clock: object


@pytest.fixture
def of(client, mailbox, ada, tokens, clock):
    return Of(client, mailbox, ada, tokens, clock)


async def sign_in_on_a_new_device(of):
    assert (
        await of.client.post("/v1/login", json={"identifier": of.ada.email, "password": PASSWORD})
    ).status_code == 200


async def change_the_password(of):
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert is_empty(await of.client.post("/v1/password/change", json=body, headers=bearer(of.tokens)))


async def reset_the_password(of):
    await of.client.post("/v1/password/forgot", json={"email": of.ada.email})
    body = {"token": await of.mailbox.token(of.ada.email), "new_password": NEW}
    assert is_empty(await of.client.post("/v1/password/reset", json=body))


async def change_the_address(of):
    new = f"{new_name()}@example.com"
    await of.client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD}, headers=bearer(of.tokens))
    assert is_empty(await of.client.post("/v1/email/change/confirm", json={"token": await of.mailbox.token(new)}))


async def use_a_refresh_token_again(of):
    assert (await refresh(of.client, of.tokens["refresh_token"])).status_code == 200
    of.clock.advance(seconds=120)
    for _ in range(2):
        assert is_problem(await refresh(of.client, of.tokens["refresh_token"]), 401, "invalid_grant")


SUBJECTS = {
    sign_in_on_a_new_device: {"en": "New sign-in to your account", "de": "Neue Anmeldung bei Ihrem Konto"},
    change_the_password: {"en": "Your password was changed", "de": "Ihr Passwort wurde geändert"},
    reset_the_password: {"en": "Your password was changed", "de": "Ihr Passwort wurde geändert"},
    change_the_address: {"en": "Your email address was changed", "de": "Ihre E-Mail-Adresse wurde geändert"},
    use_a_refresh_token_again: {
        "en": "We ended a session of your account",
        "de": "Wir haben eine Sitzung Ihres Kontos beendet",
    },
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("what", SUBJECTS)
async def test_the_owner_is_told_at_the_address_of_the_account_in_its_language(of, what, language):
    changed = await of.client.patch("/v1/me", json={"locale": language}, headers=bearer(of.tokens))
    assert changed.status_code == 200
    await what(of)
    outbox = of.client.app.state.services.get(ForgotPassword).outbox
    while outbox._tasks:
        await asyncio.wait(set(outbox._tasks))
    everything = of.mailbox.all(devices=True) + of.mailbox.all()
    (mail,) = [mail for mail in everything if mail["Subject"] in {*SUBJECTS[what].values()}]
    assert (mail["To"], mail["Subject"]) == (of.ada.email, SUBJECTS[what][language])
    assert f'lang="{language}"' in mail.get_body(("html",)).get_content()
    for secret in ("token=", NEW, of.tokens["refresh_token"]):
        assert secret not in text_of(mail)
