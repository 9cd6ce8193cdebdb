"""Journeys that something interrupts: what is done before, the one request, and what must be true afterwards.

``again`` is a client of a worker that nothing has happened to. Every check ends in a state from which its owner can go
on: signed in, or with a free name, and never with neither.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, refresh, register, sign_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from tests.support.mailbox import Mailbox


@dataclass(frozen=True)
class Stage:
    """Whom a journey is of, and with what it is watched."""

    again: httpx.AsyncClient
    mailbox: Mailbox
    email: str

    async def newest_token(self, *, after: int) -> str:
        return await self.mailbox.token(self.email, count=after + 1)

    async def verify(self, token: str, status: int = 204) -> None:
        answer = await self.again.post("/v1/email/verify", json={"token": token})
        assert answer.status_code == status, answer.text

    async def signed_up(self) -> dict[str, Any]:
        """The tokens of an account that is made for this journey."""
        await register(self.again, self.email)
        await self.verify(await self.newest_token(after=0))
        return await sign_in(self.again, self.email)

    def tokens(self) -> set[str]:
        """The tokens of all mails that have come."""
        texts = "".join(map(text_of, self.mailbox.all(self.email)))
        return set(re.findall(r"[?&]token=([A-Za-z0-9_-]+)", texts))

    async def make_account(self) -> None:
        """The way of a person who has not got through: register again, or have the mail sent again."""
        answer = await register(self.again, self.email)
        if answer.status_code == 409:
            await self.again.post("/v1/email/resend", json={"email": self.email})
        await self.verify_with_any_mail()
        await sign_in(self.again, self.email)

    async def verify_with_any_mail(self) -> None:
        """A mail that comes late may have been overtaken by another; one of them works."""
        tried = set()
        async with asyncio.timeout(20):
            while True:
                for token in self.tokens() - tried:
                    tried.add(token)
                    if (await self.again.post("/v1/email/verify", json={"token": token})).status_code == 204:
                        return
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Request:
    """One request, with the status that it has when nothing interrupts it."""

    method: str
    path: str
    status: int
    body: dict[str, Any] | None = None
    bearer: str | None = None


@dataclass(frozen=True)
class Journey:
    """``prepare`` answers the request and what ``check`` will need."""

    name: str
    prepare: Callable[[Stage], Awaitable[tuple[Request, Any]]]
    check: Callable[[Stage, Any], Awaitable[None]]


async def _no_account(stage):
    return Request("POST", "/v1/register", 202, {"email": stage.email, "password": PASSWORD}), None


async def _no_account_openly(stage):
    return Request("POST", "/v1/register", 201, {"email": stage.email, "password": PASSWORD}), None


async def _can_make_an_account(stage, _):
    await stage.make_account()


async def _waiting_for_a_mail(stage):
    await register(stage.again, stage.email)
    return Request("POST", "/v1/email/resend", 202, {"email": stage.email}), None


async def _mailed(stage):
    await register(stage.again, stage.email)
    token = await stage.newest_token(after=0)
    return Request("POST", "/v1/email/verify", 204, {"token": token}), token


async def _is_verified_or_can_be(stage, token):
    answer = await stage.again.post("/v1/login", json={"identifier": stage.email, "password": PASSWORD})
    if answer.status_code != 200:
        await stage.verify(token)
        await sign_in(stage.again, stage.email)
    await stage.verify(token, 400)


async def _with_an_account(stage):
    await stage.signed_up()
    return Request("POST", "/v1/login", 200, {"identifier": stage.email, "password": PASSWORD}), None


async def _can_sign_in(stage, _):
    await sign_in(stage.again, stage.email)


async def _with_a_token(stage):
    token = (await stage.signed_up())["refresh_token"]
    return Request("POST", "/v1/refresh", 200, {"refresh_token": token}), token


async def _is_signed_in(stage, token):
    first, second = await refresh(stage.again, token), await refresh(stage.again, token)
    assert (first.status_code, second.status_code) == (200, 200)
    successor = first.json()["refresh_token"]
    assert successor == second.json()["refresh_token"] != token
    assert (await refresh(stage.again, successor)).json()["refresh_token"] == successor


async def _logging_out(stage):
    token = (await stage.signed_up())["refresh_token"]
    return Request("POST", "/v1/logout", 204, {"refresh_token": token}), token


async def _can_log_out(stage, token):
    assert (await stage.again.post("/v1/logout", json={"refresh_token": token})).status_code == 204
    assert (await refresh(stage.again, token)).status_code == 401


async def _logging_out_everywhere(stage):
    tokens = await stage.signed_up()
    return Request("POST", "/v1/logout-all", 204, bearer=tokens["access_token"]), tokens


async def _can_log_out_everywhere(stage, tokens):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await stage.again.post("/v1/logout-all", headers=headers)).status_code == 204
    assert (await refresh(stage.again, tokens["refresh_token"])).status_code == 401
    await sign_in(stage.again, stage.email)


async def _ending_by_id(stage):
    tokens = await stage.signed_up()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    user_id = (await stage.again.get("/v1/me", headers=headers)).json()["user_id"]
    path = f"/v1/users/{user_id}/sessions/{tokens['session_id']}"
    return Request("DELETE", path, 204, bearer=tokens["access_token"]), (path, headers, tokens["refresh_token"])


async def _can_end_by_id(stage, known):
    path, headers, token = known
    assert (await stage.again.delete(path, headers=headers)).status_code in {204, 401}
    assert (await refresh(stage.again, token)).status_code == 401


async def _closing(stage):
    tokens = await stage.signed_up()
    return Request("DELETE", "/v1/me", 204, bearer=tokens["access_token"]), tokens


async def _is_closed_or_can_be(stage, tokens):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    if (await refresh(stage.again, tokens["refresh_token"])).status_code == 200:
        assert (await stage.again.delete("/v1/me", headers=headers)).status_code == 204
    assert (await refresh(stage.again, tokens["refresh_token"])).status_code == 401
    await stage.make_account()
    assert (await stage.again.get("/v1/me", headers=headers)).status_code == 401


JOURNEYS = [
    Journey("register", _no_account, _can_make_an_account),
    Journey("resend", _waiting_for_a_mail, _can_make_an_account),
    Journey("verify", _mailed, _is_verified_or_can_be),
    Journey("sign in", _with_an_account, _can_sign_in),
    Journey("refresh", _with_a_token, _is_signed_in),
    Journey("log out", _logging_out, _can_log_out),
    Journey("log out everywhere", _logging_out_everywhere, _can_log_out_everywhere),
    Journey("end a session", _ending_by_id, _can_end_by_id),
    Journey("close", _closing, _is_closed_or_can_be),
]
OPENLY = [
    Journey("register openly", _no_account_openly, _can_make_an_account),
    Journey("resend openly", _waiting_for_a_mail, _can_make_an_account),
]
"""With ``KEYTURN_REGISTRATION=disclose``, where a sign-up holds its names."""
