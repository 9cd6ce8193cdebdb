"""From nothing to an account."""

from __future__ import annotations

from tests.support.journeys.stage import Journey, Request
from tests.support.people import PASSWORD, register, sign_in

DISCLOSE = {"KEYTURN_REGISTRATION": "disclose"}


def _register(stage, status):
    return Request("POST", "/v1/register", status, {"email": stage.email, "password": PASSWORD})


async def _no_account(stage):
    return _register(stage, 202), None


async def _no_account_openly(stage):
    return _register(stage, 201), None


async def _can_make_an_account(stage, _, done):
    await stage.make_account()


async def _mail_has_come_or_can_be_had(stage, _, done):
    came = len(await stage.every_mail(stage.email))
    assert came == 1 if done else came in {0, 1}
    if came:
        # Nobody registers again: a mail that has come leads to an account.
        await stage.verify(stage.mailed()[0])
        await sign_in(stage.again, stage.email)
    else:
        await stage.make_account()


async def _taken(stage):
    await stage.signed_up()
    return _register(stage, 202), len(stage.mailbox.all(stage.email))


async def _owner_is_told(stage, mails, done):
    came = len(await stage.every_mail(stage.email)) - mails
    assert came == 1 if done else came in {0, 1}
    await sign_in(stage.again, stage.email)


async def _taken_openly(stage):
    await stage.signed_up()
    return _register(stage, 409), None


async def _can_sign_in(stage, _, done):
    await sign_in(stage.again, stage.email)


async def _waiting_for_a_mail(stage):
    await register(stage.again, stage.email)
    await stage.wait_for_mail(stage.email)
    return Request("POST", "/v1/email/resend", 202, {"email": stage.email}), None


async def _another_mail_comes(stage, _, done):
    """The new link and the mail of it, or the old link as before."""
    came = len(await stage.every_mail(stage.email)) - 1
    assert came == 1 if done else came in {0, 1}
    if came:
        await stage.verify(stage.mailed()[0], 400)
    await stage.verify(stage.mailed()[-1])
    await sign_in(stage.again, stage.email)


async def _nothing_waits(stage):
    return Request("POST", "/v1/email/resend", 202, {"email": stage.email}), None


async def _mailed(stage):
    await register(stage.again, stage.email)
    token = await stage.newest_token(after=0)
    return Request("POST", "/v1/email/verify", 204, {"token": token}), token


async def _mailed_code(stage):
    _, token = await _mailed(stage)
    return Request("POST", "/v1/email/verify", 204, {"email": stage.email, "code": stage.codes()[-1]}), token


async def _page_with_a_button(stage):
    _, token = await _mailed(stage)
    return Request("POST", "/email/verify", 200, form={"token": token}), token


async def _is_verified_or_can_be(stage, token, done):
    if not done and not await stage.opens(PASSWORD):
        await stage.verify(token)
    await sign_in(stage.again, stage.email)
    await stage.verify(token, 400)


async def _spent(stage):
    _, token = await _mailed(stage)
    await stage.verify(token)
    return Request("POST", "/v1/email/verify", 400, {"token": token}), None


REGISTER = Journey("register", _no_account, _can_make_an_account)
REGISTER_OPENLY = Journey("register openly", _no_account_openly, _can_make_an_account, environ=DISCLOSE)
RESEND = Journey("resend", _waiting_for_a_mail, _can_make_an_account)
RESEND_OPENLY = Journey("resend openly", _waiting_for_a_mail, _can_make_an_account, environ=DISCLOSE)
VERIFY = Journey("verify", _mailed, _is_verified_or_can_be)
VERIFY_ON_THE_PAGE = Journey("verify on the page", _page_with_a_button, _is_verified_or_can_be)
SIGN_UP = [
    Journey("register", _no_account, _mail_has_come_or_can_be_had),
    Journey("register openly", _no_account_openly, _mail_has_come_or_can_be_had, environ=DISCLOSE),
    Journey("register a taken address", _taken, _owner_is_told),
    Journey("register a taken address openly", _taken_openly, _can_sign_in, environ=DISCLOSE),
    Journey("resend", _waiting_for_a_mail, _another_mail_comes),
    Journey("resend openly", _waiting_for_a_mail, _another_mail_comes, environ=DISCLOSE),
    Journey("resend to nobody", _nothing_waits, _can_make_an_account),
    VERIFY,
    Journey("verify by code", _mailed_code, _is_verified_or_can_be),
    VERIFY_ON_THE_PAGE,
    Journey("verify again", _spent, _can_sign_in),
]
