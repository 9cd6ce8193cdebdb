"""What the service does beside requests and with what it has not read yet: signing keys, and mails that wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

from service.accounts.register import Register
from service.mail.message import MailKind, MailMessage
from service.mail.outbox_repo import put_letter
from service.revocations.flows import Feed
from service.tokens.keyring import KeyRing
from service.wiring.core import build_outbox
from tests.support.feed import FEED_KEY
from tests.support.journeys.stage import Command, Journey, Request, login, signed_by
from tests.support.people import PASSWORD, sign_in


def _forget_keys(world):
    """As a process that has just begun."""
    world.client.app.state.services.get(KeyRing)._snapshot = None


async def _signing_in(stage):
    await stage.signed_up()
    return login(stage.email, 200), None


async def _can_sign_in(stage, _, done):
    await sign_in(stage.again, stage.email)


async def _looking(stage):
    tokens = await stage.signed_up()
    return signed_by(tokens, "GET", "/v1/me", 200), None


async def _with_a_forged_token(stage):
    tokens = await stage.signed_up()
    head, payload, signature = tokens["access_token"].split(".")
    forged = ".".join((head, payload, ("B" if signature.startswith("A") else "A") + signature[1:]))
    return Request("GET", "/v1/me", 401, bearer=forged), None


async def _asking_for_keys(stage):
    await stage.signed_up()
    return Request("GET", "/.well-known/jwks.json", 200), None


async def _asking_whether_it_is_ready(stage):
    await stage.signed_up()
    return Request("GET", "/readyz", 200), None


async def _polling(stage):
    await stage.signed_up()
    return Request("GET", "/v1/revocations", 200, bearer=FEED_KEY), None


def _forget_feed(world):
    world.client.app.state.services.get(Feed).window._held = None


async def _a_mail_waits(stage):
    await stage.signed_up()
    outbox = stage.again.app.state.services.get(Register).outbox
    # What other tests have left on the shared tables is no part of the journey.
    await build_outbox(_as_time_passes(stage.base), outbox.sender).sweep()
    announced = outbox.prepare(MailMessage(to=stage.email, template=MailKind.PASSWORD_CHANGED, locale="en"))
    letter = replace(announced.letter, claimed_until_ms=stage.clock.now_ms() - 1, tries=0)
    await outbox.repo.put(put_letter(letter, now_ms=stage.clock.now_ms()))
    return Command(lambda base: build_outbox(_as_time_passes(base), outbox.sender).sweep()), None


def _as_time_passes(base):
    """Who cannot remove a mail that has left tries for two minutes, which here are over in four tries."""
    passing = SimpleNamespace(now_ms=base.clock.now_ms, monotonic_seconds=base.clock.monotonic_seconds)

    async def sleep(seconds):
        base.clock.advance(seconds=30 * seconds)
        await asyncio.sleep(0)

    passing.sleep = sleep
    return replace(base, clock=passing)


async def _comes_once(stage, _, done):
    await stage.wait_for_mail(stage.email)
    mails = stage.mailbox.all(stage.email)
    # Twice only where it had left and could not be removed; whoever reads mails can tell by their name.
    assert len(mails) <= 2
    assert len({mail["Message-ID"] for mail in mails}) == 1
    assert await stage.opens(PASSWORD)


BACKGROUND = [
    Journey("sign in before the keys are known", _signing_in, _can_sign_in, upset=_forget_keys),
    Journey("look at me before the keys are known", _looking, _can_sign_in, upset=_forget_keys),
    Journey("a forged token before the keys are known", _with_a_forged_token, _can_sign_in, upset=_forget_keys),
    Journey("ask for the keys before they are known", _asking_for_keys, _can_sign_in, upset=_forget_keys),
    Journey("ask whether it is ready", _asking_whether_it_is_ready, _can_sign_in, upset=_forget_keys),
    Journey("poll the revocation feed", _polling, _can_sign_in, upset=_forget_feed),
    Journey("a mail that waits", _a_mail_waits, _comes_once),
]
