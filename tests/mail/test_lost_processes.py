"""A process that dies right after its answer loses no mail: another delivers it when the claim has ended."""

from __future__ import annotations

import asyncio

import pytest

from service.mail.outbox import CLAIM_SECONDS, POLL_SECONDS
from service.signin.flows import SignIn
from tests.support.accounts import make_person
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in

NEW = "a wholly different long sentence"


async def _register(client):
    email = "new@example.com"
    assert (await register(client, email)).status_code == 202
    return email, "Confirm your email address"


async def _forgot(client):
    person = await make_person(client)
    assert (await client.post("/v1/password/forgot", json={"email": person.email})).status_code == 202
    return person.email, "Choose a new password"


async def _change_password(client):
    person = await make_person(client)
    body = {"current_password": PASSWORD, "new_password": NEW}
    tokens = await sign_in(client, person.email)
    assert (await client.post("/v1/password/change", json=body, headers=bearer(tokens))).status_code == 204
    return person.email, "Your password was changed"


async def _change_email(client):
    person = await make_person(client)
    body = {"new_email": "new@example.com", "password": PASSWORD}
    tokens = await sign_in(client, person.email)
    assert (await client.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 202
    return "new@example.com", "Confirm your new email address"


async def _sign_in_on_a_new_device(client):
    person = await make_person(client)
    body = {"identifier": person.email, "password": PASSWORD}
    for _ in range(2):
        assert (await client.post("/v1/login", json=body)).status_code == 200
    return person.email, "New sign-in to your account"


async def _use_a_token_again(client):
    person = await make_person(client)
    token = (await sign_in(client, person.email))["refresh_token"]
    clock = client.app.state.services.get(SignIn).clock
    for seconds, status in ((0, 200), (120, 401)):
        clock.advance(seconds=seconds)
        assert (await refresh(client, token)).status_code == status
    return person.email, "We ended a session of your account"


JOURNEYS = [_register, _forgot, _change_password, _change_email, _sign_in_on_a_new_device, _use_a_token_again]


async def pass_time(clock, *, seconds, until=lambda: False):
    """Time goes by in steps in which every process looks for letters once."""
    for _ in range(round(seconds / (POLL_SECONDS * 1.5))):
        if until():
            return
        clock.advance(seconds=POLL_SECONDS * 1.5)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__[1:])
async def test_the_mail_of_a_process_that_died_after_its_answer_comes_once(doomed, living, mailbox, clock, journey):
    async with doomed() as client:
        email, subject = await journey(client)
    about_devices = journey is _sign_in_on_a_new_device

    def came():
        return mailbox.all(email, devices=about_devices)

    async with living(), living():
        await pass_time(clock, seconds=CLAIM_SECONDS - POLL_SECONDS * 1.5)
        assert came() == [], "the dead process's claim holds"
        await pass_time(clock, seconds=CLAIM_SECONDS, until=came)
        assert (await mailbox.wait(email, devices=about_devices))["Subject"] == subject
        await pass_time(clock, seconds=CLAIM_SECONDS)
        assert len(came()) == 1


async def test_a_link_that_was_delivered_late_still_works(doomed, living, mailbox, clock):
    async with doomed() as client:
        email, _ = await _forgot(client)
    async with living() as client:
        await pass_time(clock, seconds=CLAIM_SECONDS * 2, until=lambda: mailbox.all(email))
        body = {"token": await mailbox.token(email), "new_password": NEW}
        assert (await client.post("/v1/password/reset", json=body)).status_code == 204
        await sign_in(client, email, password=NEW)


async def test_a_process_that_ends_in_order_delivers_first(living, mailbox):
    async with living() as client:
        email, subject = await _forgot(client)
    assert [mail["Subject"] for mail in mailbox.all(email)] == [subject]
