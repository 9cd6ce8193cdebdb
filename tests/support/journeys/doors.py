"""Requests that are refused: a store that fails must not make a yes of any of them."""

from __future__ import annotations

from tests.support.journeys.commands import DISABLE
from tests.support.journeys.recovery import new_address
from tests.support.journeys.stage import NEW_PASSWORD, Journey, Request, login, signed_by
from tests.support.people import PASSWORD, bearer, refresh, sign_in

WRONG = "incorrect horse battery staple"


async def _can_sign_in(stage, _, done):
    await sign_in(stage.again, stage.email)


async def _wrong_password(stage):
    await stage.signed_up()
    return login(stage.email, 401, password=WRONG), None


async def _nobody(stage):
    return login(stage.email, 401), None


async def _can_make_an_account(stage, _, done):
    await stage.make_account()


async def _disabled(stage):
    await _disable(stage)
    return login(stage.email, 401), None


async def _disable(stage):
    tokens = await stage.signed_up()
    await DISABLE(stage.email)(stage.base)
    return tokens


async def _is_refused_until_enabled(stage, tokens, done):
    assert not await stage.opens(PASSWORD)
    if tokens is not None:
        assert not await stage.is_alive(tokens)


async def _disabled_with_a_token(stage):
    tokens = await _disable(stage)
    return Request("POST", "/v1/refresh", 401, {"refresh_token": tokens["refresh_token"]}), tokens


async def _disabled_with_an_access_token(stage):
    tokens = await _disable(stage)
    return signed_by(tokens, "GET", "/v1/me", 401), tokens


async def _ended(stage):
    tokens = await stage.signed_up()
    await stage.post("/v1/logout", {"refresh_token": tokens["refresh_token"]}, status=204)
    return Request("POST", "/v1/refresh", 401, {"refresh_token": tokens["refresh_token"]}), tokens


async def _ended_everywhere(stage):
    tokens = await stage.signed_up()
    await stage.post("/v1/logout-all", tokens=tokens, status=204)
    return Request("POST", "/v1/refresh", 401, {"refresh_token": tokens["refresh_token"]}), tokens


async def _stays_ended(stage, tokens, done):
    assert not await stage.is_alive(tokens)
    await sign_in(stage.again, stage.email)


async def _ended_and_changing(stage):
    _, tokens = await _ended(stage)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return signed_by(tokens, "POST", "/v1/password/change", 401, body), tokens


async def _ended_and_closing(stage):
    _, tokens = await _ended(stage)
    return signed_by(tokens, "DELETE", "/v1/me", 401), tokens


async def _changing_with_a_wrong_password(stage):
    tokens = await stage.signed_up()
    body = {"current_password": WRONG, "new_password": NEW_PASSWORD}
    return signed_by(tokens, "POST", "/v1/password/change", 401, body), tokens


async def _nothing_has_changed(stage, tokens, done):
    assert not await stage.opens(NEW_PASSWORD)
    assert await stage.opens(PASSWORD)
    assert await stage.is_alive(tokens)


async def _moving_with_a_wrong_password(stage):
    tokens = await stage.signed_up()
    body = {"new_email": new_address(stage), "password": WRONG}
    return signed_by(tokens, "POST", "/v1/email/change", 401, body), tokens


async def _wrong_code(stage):
    tokens = await stage.signed_up()
    await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
    body = {"email": stage.email, "code": "AAAA-AAAA", "new_password": NEW_PASSWORD}
    return Request("POST", "/v1/password/reset", 400, body), tokens


async def _spent_reset(stage):
    tokens = await stage.signed_up()
    before = len(stage.mailbox.all(stage.email))
    await stage.post("/v1/password/forgot", {"email": stage.email}, status=202)
    token = await stage.newest_token(after=before)
    await stage.post("/v1/password/reset", {"token": token, "new_password": WRONG}, status=204)
    return Request("POST", "/v1/password/reset", 400, {"token": token, "new_password": NEW_PASSWORD}), tokens


async def _only_the_first_counts(stage, tokens, done):
    assert await stage.opens(WRONG)
    assert not await stage.opens(NEW_PASSWORD)
    assert not await stage.is_alive(tokens)


async def _somebody_elses(stage):
    tokens = await stage.signed_up()
    other = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"
    return signed_by(tokens, "DELETE", f"/v1/users/{other}/sessions/{tokens['session_id']}", 404), tokens


async def _goes_on(stage, tokens, done):
    assert (await stage.again.get("/v1/me", headers=bearer(tokens))).status_code == 200
    assert (await refresh(stage.again, tokens["refresh_token"])).status_code == 200


DISABLED_LOOKS = Journey("look at me while disabled", _disabled_with_an_access_token, _is_refused_until_enabled)
DOORS = [
    Journey("sign in with a wrong password", _wrong_password, _can_sign_in),
    Journey("sign in as nobody", _nobody, _can_make_an_account),
    Journey("sign in while disabled", _disabled, _is_refused_until_enabled),
    Journey("refresh while disabled", _disabled_with_a_token, _is_refused_until_enabled),
    DISABLED_LOOKS,
    Journey("refresh an ended session", _ended, _stays_ended),
    Journey("refresh a session ended everywhere", _ended_everywhere, _stays_ended),
    Journey("change the password of an ended session", _ended_and_changing, _stays_ended),
    Journey("close by an ended session", _ended_and_closing, _stays_ended),
    Journey("change with a wrong password", _changing_with_a_wrong_password, _nothing_has_changed),
    Journey("move with a wrong password", _moving_with_a_wrong_password, _nothing_has_changed),
    Journey("reset with a wrong code", _wrong_code, _nothing_has_changed),
    Journey("reset again", _spent_reset, _only_the_first_counts),
]
