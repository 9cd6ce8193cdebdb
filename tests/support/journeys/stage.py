"""What a journey is made of: whom it is of, what is done before, the one request, and what must be true afterwards.

Every check ends in a state from which the owner can go on: signed in, or with a free name, and never with neither.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from service.base import Base
    from tests.support.mailbox import Mailbox

NEW_PASSWORD = "another horse battery staple"
_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9_-]+)")
_CODE = re.compile(r"^([0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """Whom a journey is of, and with what it is watched. ``again`` is a client of a worker nothing has happened to."""

    again: httpx.AsyncClient
    mailbox: Mailbox
    email: str

    async def signed_up(self) -> dict[str, Any]:
        """The tokens of an account that is made for this journey."""
        await register(self.again, self.email)
        await self.verify(await self.newest_token(after=0))
        return await sign_in(self.again, self.email)

    async def wait_for_mail(self, email: str, *, count: int = 1, devices: bool = False) -> None:
        """Until ``count`` mails have come to ``email``, those of new devices or all others."""
        await self.mailbox.wait(email, count=count, devices=devices)

    async def is_told(self, email: str, *, count: int) -> None:
        """Until what ``email`` is told of has come; not waited for where it comes minutes after a killed worker."""

    async def newest_token(self, *, after: int) -> str:
        return await self.mailbox.token(self.email, count=after + 1)

    async def verify(self, token: str, status: int = 204) -> None:
        await self.post("/v1/email/verify", {"token": token}, status=status)

    async def post(
        self, path: str, body: Any = None, *, status: int | set[int], tokens: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Ask the worker that nothing has happened to."""
        headers = {} if tokens is None else bearer(tokens)
        answer = await self.again.post(path, json=body, headers=headers)
        assert answer.status_code in ({status} if isinstance(status, int) else status), (path, answer.text)
        return answer

    async def user_id(self, tokens: dict[str, Any]) -> str:
        return (await self.again.get("/v1/me", headers=bearer(tokens))).json()["user_id"]

    async def guards_refuse(self, tokens: dict[str, Any]) -> bool:
        """Whether guards that poll the revocation feed know that this session has ended; yes where there is none."""
        return bool(tokens)

    async def opens(self, password: str, *, email: str | None = None) -> bool:
        """Whether ``password`` opens the account now."""
        body = {"identifier": email or self.email, "password": password}
        answer = await self.again.post("/v1/login", json=body)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    async def is_alive(self, tokens: dict[str, Any]) -> bool:
        """Whether a session can be refreshed."""
        answer = await refresh(self.again, tokens["refresh_token"])
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    def mailed(self, pattern: re.Pattern[str] = _TOKEN, *, email: str | None = None) -> list[str]:
        """The tokens of all mails that have come, the newest last."""
        return [found for mail in self.mailbox.all(email or self.email) for found in pattern.findall(text_of(mail))]

    def codes(self, *, email: str | None = None) -> list[str]:
        """The codes of all mails that have come, the newest last."""
        return self.mailed(_CODE, email=email)

    async def make_account(self) -> None:
        """The way of a person who has not got through: register again, or have the mail sent again."""
        answer = await register(self.again, self.email)
        if answer.status_code == 409:
            await self.again.post("/v1/email/resend", json={"email": self.email})
        await self.verify_with_any_mail()
        await sign_in(self.again, self.email)

    async def verify_with_any_mail(self) -> None:
        await self.use_any_mail("/v1/email/verify", lambda token: {"token": token}, email=self.email)

    async def use_any_mail(self, path: str, body: Callable[[str], dict[str, str]], *, email: str) -> None:
        """A mail that comes late may have been overtaken by another; one of them works."""
        tried = set()
        async with asyncio.timeout(20):
            while True:
                for token in set(self.mailed(email=email)) - tried:
                    tried.add(token)
                    if (await self.again.post(path, json=body(token))).status_code == 204:
                        return
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Request:
    """One request, with the status that it has when nothing interrupts it; ``form`` in the place of ``body``."""

    method: str
    path: str
    status: int
    body: dict[str, Any] | None = None
    bearer: str | None = None
    form: dict[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """What an operator does, in the place of a request: done with status 0, refused with that of its error."""

    run: Callable[[Base], Awaitable[Any]]
    status: int = 0


@dataclass(frozen=True)
class Journey:
    """``prepare`` answers the request and what ``check`` will need.

    ``check`` is told whether the request was answered with its own status: then what it asked for is done. ``also``
    are other statuses that a fault may give it; 503 always may. ``environ`` are variables of the worker that serves it,
    and ``upset`` is done to that worker just before.
    """

    name: str
    prepare: Callable[[Any], Awaitable[tuple[Request | Command, Any]]]
    check: Callable[[Any, Any, bool], Awaitable[None]]
    also: frozenset[int] = frozenset()
    environ: Mapping[str, str] = field(default_factory=dict)
    upset: Callable[[Any], None] = lambda _world: None

    def __str__(self) -> str:
        return self.name


def signed_by(tokens: dict[str, Any], method: str, path: str, status: int, body: Any = None) -> Request:
    """A request with the access token of ``tokens``."""
    return Request(method, path, status, body, bearer=tokens["access_token"])


def login(email: str, status: int, *, password: str = PASSWORD) -> Request:
    """A request to sign in."""
    return Request("POST", "/v1/login", status, {"identifier": email, "password": password})
