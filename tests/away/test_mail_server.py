"""The mail server is away: the answers are the same, in bytes and without waiting for it, and the mails come later."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

import pytest

from service.accounts.forgot_password import ForgotPassword
from service.mail.outbox import POLL_SECONDS
from service.settings import load
from tests.support.accounts import make_person, new_name
from tests.support.answers import shown
from tests.support.people import PASSWORD, bearer, register, sign_in
from tests.support.relay import Relay

TEN_MINUTES = 600


async def forgot(client, email):
    return await client.post("/v1/password/forgot", json={"email": email})


async def resend(client, email):
    return await client.post("/v1/email/resend", json={"email": email})


@pytest.fixture
def sending(environ, open_app):
    """An application that mails through ``relay``."""
    return lambda relay: open_app(load({**environ, "KEYTURN_MAIL_URL": f"smtp://127.0.0.1:{relay.port}"}))


@asynccontextmanager
async def refusing(relay):
    """Nobody listens."""
    async with relay.running():
        pass
    yield relay


@asynccontextmanager
async def silent(relay):
    relay.silent = True
    async with relay.running():
        yield relay
    relay.silent = False


@asynccontextmanager
async def busy(relay):
    relay.answers["greeting"] = "421 come back later"
    async with relay.running():
        yield relay
    del relay.answers["greeting"]


def subjects(relay, email):
    mails = [message_from_bytes(raw, policy=policy.default) for raw in relay.mails]
    return sorted(mail["Subject"] for mail in mails if mail["To"] == email)


async def pass_time(clock, *, until):
    """Time goes by in steps in which letters are looked for, for ten minutes at most."""
    for _ in range(round(TEN_MINUTES / POLL_SECONDS)):
        if until():
            return
        clock.advance(seconds=POLL_SECONDS * 1.5)
        await asyncio.sleep(0.02)
    assert until()


@pytest.mark.parametrize("away", [refusing, silent, busy], ids=lambda away: away.__name__)
async def test_doors_answer_as_ever_and_each_mail_comes_once_when_the_server_is_back(sending, clock, away):
    relay = Relay()
    async with relay.running():
        pass
    new, change = (f"{new_name()}@example.com" for _ in range(2))
    async with sending(relay) as client:
        known, nobody = await make_person(client), f"{new_name()}@example.com"
        async with relay.running():
            usual = [shown(await forgot(client, known.email)), shown(await register(client, nobody))]
            await pass_time(clock, until=lambda: len(relay.mails) == 2)
            headers = bearer(await sign_in(client, known.email))
        relay.mails.clear()
        async with away(relay):
            async with asyncio.timeout(10):
                answers = [shown(await forgot(client, email)) for email in (known.email, f"{new_name()}@example.com")]
                answers += [shown(await register(client, new)), shown(await resend(client, new))]
                body = {"new_email": change, "password": PASSWORD}
                answers.append(shown(await client.post("/v1/email/change", json=body, headers=headers)))
            assert set(map(repr, answers)) == set(map(repr, usual)), "an answer tells that mail does not go out"
            clock.advance(seconds=POLL_SECONDS * 2)
            await asyncio.sleep(0.05)
            assert relay.mails == []
        async with relay.running():
            await pass_time(clock, until=lambda: len(relay.mails) >= 4)
            await client.app.state.services.get(ForgotPassword).outbox.drain(10)
    assert subjects(relay, known.email) == ["Choose a new password"]
    assert subjects(relay, new) == ["Confirm your email address"] * 2
    assert subjects(relay, change) == ["Confirm your new email address"]


async def test_a_server_that_took_a_mail_and_is_silent_at_quit_gets_it_once(sending, clock):
    relay = Relay(silent_at=frozenset({"QUIT"}))
    async with relay.running(), sending(relay) as client:
        email = f"{new_name()}@example.com"
        await register(client, email)
        await pass_time(clock, until=lambda: relay.mails)
        await client.app.state.services.get(ForgotPassword).outbox.drain(10)
        for _ in range(20):
            clock.advance(seconds=TEN_MINUTES)
            await asyncio.sleep(0.02)
        await client.app.state.services.get(ForgotPassword).outbox.drain(10)
    assert subjects(relay, email) == ["Confirm your email address"]


async def test_nobody_is_confirmed_signed_in_or_reset_because_no_mail_could_be_sent(sending):
    relay = Relay()
    async with refusing(relay), sending(relay) as client:
        email = f"{new_name()}@example.com"
        await register(client, email)
        login = await client.post("/v1/login", json={"identifier": email, "password": PASSWORD})
        assert login.status_code == 401
