"""Forgotten and changed passwords and addresses."""

from __future__ import annotations

from tests.support.journeys.stage import NEW_PASSWORD, Journey, Request, signed_by
from tests.support.people import PASSWORD, bearer, sign_in


def new_address(stage):
    return f"new-{stage.email}"


async def _forgotten(stage):
    await stage.signed_up()
    return Request("POST", "/v1/password/forgot", 202, {"email": stage.email}), len(stage.mailbox.all(stage.email))


async def _reset_by(stage, token, *, status=204):
    await stage.post("/v1/password/reset", {"token": token, "new_password": NEW_PASSWORD}, status=status)


async def _a_reset_comes_or_can_be_had(stage, mails, done):
    """A link that works and the mail of it, or neither."""
    assert await stage.opens(PASSWORD), "asking for a reset changes nothing"
    came = len(await stage.every_mail(stage.email)) - mails
    assert came == 1 if done else came in {0, 1}
    if not came:
        assert (await stage.pending()).reset is None, "a link that works and is mailed to nobody"
        await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
        await stage.wait_for_mail(stage.email, count=mails + 1)
    await _reset_by(stage, stage.mailed()[-1])
    assert await stage.opens(NEW_PASSWORD)


async def _forgotten_again(stage):
    """One link works already."""
    await stage.signed_up()
    before = len(stage.mailbox.all(stage.email))
    await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
    token = await stage.newest_token(after=before)
    return Request("POST", "/v1/password/forgot", 202, {"email": stage.email}), (before + 1, token)


async def _the_new_link_comes_or_the_old_one_works(stage, known, done):
    mails, old = known
    came = len(await stage.every_mail(stage.email)) - mails
    assert came == 1 if done else came in {0, 1}
    if came:
        await _reset_by(stage, old, status=400)
    await _reset_by(stage, stage.mailed()[-1])
    assert await stage.opens(NEW_PASSWORD)


async def _forgotten_by_nobody(stage):
    return Request("POST", "/v1/password/forgot", 202, {"email": stage.email}), None


async def _nobody_is_mailed(stage, _, done):
    assert stage.mailbox.all(stage.email) == []
    await stage.make_account()


async def _with_a_reset(stage):
    tokens = await stage.signed_up()
    before = len(stage.mailbox.all(stage.email))
    await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
    return tokens, await stage.newest_token(after=before)


async def _resetting(stage):
    tokens, token = await _with_a_reset(stage)
    return Request("POST", "/v1/password/reset", 204, {"token": token, "new_password": NEW_PASSWORD}), (tokens, token)


async def _resetting_by_code(stage):
    known = await _with_a_reset(stage)
    body = {"email": stage.email, "code": stage.codes()[-1], "new_password": NEW_PASSWORD}
    return Request("POST", "/v1/password/reset", 204, body), known


async def _resetting_on_the_page(stage):
    tokens, token = await _with_a_reset(stage)
    form = {"token": token, "new_password": NEW_PASSWORD}
    return Request("POST", "/password/reset", 200, form=form), (tokens, token)


async def _is_reset_or_can_be(stage, known, done):
    tokens, token = known
    if not done and await stage.opens(PASSWORD):
        assert await stage.is_alive(tokens), "half a reset"
        assert not await stage.opens(NEW_PASSWORD)
        await _reset_by(stage, token)
    assert not await stage.opens(PASSWORD)
    assert not await stage.is_alive(tokens)
    assert await stage.guards_refuse(tokens)
    await _reset_by(stage, token, status=400)
    await sign_in(stage.again, stage.email, password=NEW_PASSWORD)


async def _changing(stage):
    mine, other = await stage.signed_up(), await sign_in(stage.again, stage.email)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return signed_by(mine, "POST", "/v1/password/change", 204, body), (mine, other, body)


async def _is_changed_or_can_be(stage, known, done):
    mine, other, body = known
    if not done and await stage.opens(PASSWORD):
        assert await stage.is_alive(other), "half a change"
        assert not await stage.opens(NEW_PASSWORD)
        await stage.post("/v1/password/change", body, tokens=mine, status=204)
    assert not await stage.opens(PASSWORD)
    assert not await stage.is_alive(other)
    assert await stage.guards_refuse(other)
    assert await stage.is_alive(mine), "this session goes on"
    await sign_in(stage.again, stage.email, password=NEW_PASSWORD)


async def _moving(stage):
    tokens = await stage.signed_up()
    body = {"new_email": new_address(stage), "password": PASSWORD}
    return signed_by(tokens, "POST", "/v1/email/change", 202, body), (tokens, body)


async def _can_move(stage, known, done):
    """A link that works and the mail of it, or neither."""
    tokens, body = known
    assert await stage.opens(PASSWORD), "asking changes nothing"
    came = len(await stage.every_mail(new_address(stage)))
    assert came == 1 if done else came in {0, 1}
    if not came:
        assert (await stage.pending()).change is None, "a link that works and is mailed to nobody"
        await stage.post("/v1/email/change", body, tokens=tokens, status=202)
        await stage.wait_for_mail(new_address(stage))
    (token,) = stage.mailed(email=new_address(stage))
    await stage.post("/v1/email/change/confirm", {"token": token}, status=204)
    assert await stage.opens(PASSWORD, email=new_address(stage))
    assert not await stage.opens(PASSWORD)


async def _with_a_move(stage):
    tokens = await stage.signed_up()
    await stage.post("/v1/email/change", (await _moving_body(stage)), tokens=tokens, status=202)
    await stage.wait_for_mail(new_address(stage))
    return tokens, stage.mailed(email=new_address(stage))[-1]


async def _moving_body(stage):
    return {"new_email": new_address(stage), "password": PASSWORD}


async def _confirming(stage):
    known = await _with_a_move(stage)
    return Request("POST", "/v1/email/change/confirm", 204, {"token": known[1]}), known


async def _confirming_on_the_page(stage):
    known = await _with_a_move(stage)
    return Request("POST", "/email/change", 200, form={"token": known[1]}), known


async def _confirming_by_code(stage):
    known = await _with_a_move(stage)
    code = stage.codes(email=new_address(stage))[-1]
    return signed_by(known[0], "POST", "/v1/email/change/confirm-code", 204, {"code": code}), known


async def _has_moved_or_can(stage, known, done):
    tokens, token = known
    if not done and await stage.opens(PASSWORD):
        assert not await stage.opens(PASSWORD, email=new_address(stage)), "half a move"
        await stage.post("/v1/email/change/confirm", {"token": token}, status=204)
    assert not await stage.opens(PASSWORD)
    assert await stage.opens(PASSWORD, email=new_address(stage))
    await stage.post("/v1/email/change/confirm", {"token": token}, status=400)
    assert (await stage.again.get("/v1/me", headers=bearer(tokens))).json()["email"] == new_address(stage)
    # Both are told, and the old address is free.
    await stage.is_told(stage.email, count=1)
    await stage.is_told(new_address(stage), count=2)
    await stage.make_account()


async def _a_reset_can_be_had(stage, _, done):
    """Of a mail that a killed worker had claimed nothing is heard until its claim ends: the person asks once more."""
    assert await stage.opens(PASSWORD), "asking for a reset changes nothing"
    await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
    path = "/v1/password/reset"
    await stage.use_any_mail(path, lambda token: {"token": token, "new_password": NEW_PASSWORD}, email=stage.email)
    assert await stage.opens(NEW_PASSWORD)


async def _can_ask_again_and_move(stage, known, done):
    tokens, body = known
    assert await stage.opens(PASSWORD), "asking changes nothing"
    await stage.post("/v1/email/change", body, tokens=tokens, status=202)
    path = "/v1/email/change/confirm"
    await stage.use_any_mail(path, lambda token: {"token": token}, email=new_address(stage))
    assert await stage.opens(PASSWORD, email=new_address(stage))
    assert not await stage.opens(PASSWORD)


RESET = Journey("reset", _resetting, _is_reset_or_can_be)
CHANGE_PASSWORD = Journey("change the password", _changing, _is_changed_or_can_be)
CONFIRM_MOVE = Journey("confirm a new address", _confirming, _has_moved_or_can)
FORGET = Journey("forget", _forgotten, _a_reset_can_be_had)
MOVE = Journey("ask for a new address", _moving, _can_ask_again_and_move)
RECOVERY = [
    Journey("forget", _forgotten, _a_reset_comes_or_can_be_had),
    Journey("forget again", _forgotten_again, _the_new_link_comes_or_the_old_one_works),
    Journey("forget as nobody", _forgotten_by_nobody, _nobody_is_mailed),
    RESET,
    Journey("reset by code", _resetting_by_code, _is_reset_or_can_be),
    Journey("reset on the page", _resetting_on_the_page, _is_reset_or_can_be),
    CHANGE_PASSWORD,
    Journey("ask for a new address", _moving, _can_move),
    CONFIRM_MOVE,
    Journey("confirm a new address by code", _confirming_by_code, _has_moved_or_can),
    Journey("confirm a new address on the page", _confirming_on_the_page, _has_moved_or_can),
]
