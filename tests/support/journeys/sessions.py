"""How a session begins, goes on and ends."""

from __future__ import annotations

from tests.support.journeys.stage import Journey, Request, login, signed_by
from tests.support.people import bearer, refresh, register, sign_in


def _refresh(token, status):
    return Request("POST", "/v1/refresh", status, {"refresh_token": token})


async def _with_an_account(stage):
    await stage.signed_up()
    return login(stage.email, 200), None


async def _never_signed_in(stage):
    await register(stage.again, stage.email)
    await stage.verify(await stage.newest_token(after=0))
    return login(stage.email, 200), None


async def _can_sign_in(stage, _, done):
    await sign_in(stage.again, stage.email)


async def _can_sign_in_and_is_told_of_the_device(stage, _, done):
    await sign_in(stage.again, stage.email)
    if done:
        await stage.wait_for_mail(stage.email, devices=True)


async def _with_an_old_hash(stage):
    await stage.signed_up()
    return login(stage.email, 200), None


async def _with_a_token(stage):
    token = (await stage.signed_up())["refresh_token"]
    return _refresh(token, 200), token


async def _is_signed_in(stage, token, done):
    first, second = await refresh(stage.again, token), await refresh(stage.again, token)
    assert (first.status_code, second.status_code) == (200, 200)
    successor = first.json()["refresh_token"]
    assert successor == second.json()["refresh_token"] != token
    assert (await refresh(stage.again, successor)).json()["refresh_token"] == successor


async def _just_rotated(stage):
    old = (await stage.signed_up())["refresh_token"]
    token = (await refresh(stage.again, old)).json()["refresh_token"]
    return _refresh(token, 200), (old, token)


async def _has_one_successor(stage, known, done):
    old, token = known
    for presented in (old, token):
        assert (await refresh(stage.again, presented)).json()["refresh_token"] == token


async def _with_the_token_before(stage):
    _, known = await _just_rotated(stage)
    return _refresh(known[0], 200), known


async def _stolen(stage):
    _, known = await _just_rotated(stage)
    stage.clock.advance(seconds=60)
    return _refresh(known[0], 401), (known, len(stage.mailbox.all(stage.email)))


async def _is_ended_or_will_be(stage, known, done):
    (old, token), mails = known
    if not done:
        # Whoever has it tries again; the door is no more open than the first time.
        assert (await refresh(stage.again, old)).status_code == 401
    assert (await refresh(stage.again, token)).status_code == 401
    await sign_in(stage.again, stage.email)
    # Its owner is told, once, whoever has ended it in the end.
    await stage.wait_for_mail(stage.email, count=mails + 1)
    subjects = [mail["Subject"] for mail in stage.mailbox.all(stage.email)]
    assert subjects == ["We ended a session of your account"]


async def _logging_out(stage):
    tokens = await stage.signed_up()
    return Request("POST", "/v1/logout", 204, {"refresh_token": tokens["refresh_token"]}), tokens


async def _is_logged_out_or_can_be(stage, tokens, done):
    if not done:
        await stage.post("/v1/logout", {"refresh_token": tokens["refresh_token"]}, status=204)
    assert not await stage.is_alive(tokens)
    assert await stage.guards_refuse(tokens)
    await sign_in(stage.again, stage.email)


async def _logging_out_everywhere(stage):
    first, second = await stage.signed_up(), await sign_in(stage.again, stage.email)
    return signed_by(first, "POST", "/v1/logout-all", 204), (first, second)


async def _is_out_everywhere_or_can_be(stage, known, done):
    if not done:
        await stage.post("/v1/logout-all", tokens=known[0], status=204)
    for tokens in known:
        assert not await stage.is_alive(tokens)
        assert await stage.guards_refuse(tokens)
    await sign_in(stage.again, stage.email)


async def _ending_by_id(stage):
    mine, other = await stage.signed_up(), await sign_in(stage.again, stage.email)
    path = f"/v1/users/{await stage.user_id(mine)}/sessions/{other['session_id']}"
    return signed_by(mine, "DELETE", path, 204), (path, mine, other)


async def _is_ended_or_can_be(stage, known, done):
    path, mine, other = known
    if not done:
        assert (await stage.again.delete(path, headers=bearer(mine))).status_code in {204, 404}
    assert not await stage.is_alive(other)
    assert await stage.guards_refuse(other)
    assert await stage.is_alive(mine)


SIGN_IN_AGAIN = Journey("sign in", _with_an_account, _can_sign_in)
SIGN_IN_FIRST = Journey("sign in for the first time", _never_signed_in, _can_sign_in)
SIGN_IN = Journey("sign in", _with_an_account, _can_sign_in_and_is_told_of_the_device)
REFRESH = Journey("refresh", _with_a_token, _is_signed_in)
LOG_OUT = Journey("log out", _logging_out, _is_logged_out_or_can_be)
LOG_OUT_EVERYWHERE = Journey("log out everywhere", _logging_out_everywhere, _is_out_everywhere_or_can_be)
END_A_SESSION = Journey("end a session", _ending_by_id, _is_ended_or_can_be)
SESSIONS = [
    SIGN_IN,
    SIGN_IN_FIRST,
    Journey("sign in with an old hash", _with_an_old_hash, _can_sign_in, environ={"KEYTURN_ARGON2_TIME_COST": "2"}),
    REFRESH,
    Journey("refresh once more", _just_rotated, _has_one_successor),
    Journey("refresh after a lost answer", _with_the_token_before, _has_one_successor),
    Journey("refresh with a stolen token", _stolen, _is_ended_or_will_be),
    LOG_OUT,
    LOG_OUT_EVERYWHERE,
    END_A_SESSION,
]
