"""Somebody with an account and an app: what they do, and what they must be answered."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Queue
    from collections.abc import Iterator
    from random import Random

    from benchmarks.harness.wire import Answer, Wire
    from loadtests.soak.mailbox import Mailbox

ACCESS_SECONDS = 240
"""An app renews its access token a minute before it ends."""
NETWORKS = 500
"""Everybody comes from one of so many networks, by the header of a trusted proxy."""
_WORDS = tuple(
    "apple bridge candle desert engine forest garden harbor island jacket kettle ladder meadow needle orange".split()  # noqa: SIM905 - easier to read
)
_DEVICE = "X-Keyturn-Device"


@dataclass(frozen=True, kw_only=True)
class World:
    """The service, connections to it, its mails, and chance."""

    wires: Queue[Wire]
    mailbox: Mailbox
    random: Random
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def ask(self, status: int, method: str, path: str, body: Any = None, *, headers: str = "") -> Answer:
        """One request on a free connection. Raises WrongAnswer for another status."""
        network = self.random.randrange(NETWORKS)
        forwarded = f"X-Forwarded-For: 10.7.{network >> 8}.{network & 255}\r\n"
        wire = await self.wires.get()
        try:
            return await wire.expect(status, method, path, body, headers=headers + forwarded)
        finally:
            self.wires.put_nowait(wire)

    def passphrase(self) -> str:
        """A new password; now and then a very long one, which costs more to judge."""
        words = self.random.choices(_WORDS, k=self.random.choice((5, 5, 5, 30)))
        return " ".join([*words, f"{self.random.getrandbits(48):x}"])


@dataclass(kw_only=True)
class Person:
    """An account, and the tokens of the last answer."""

    world: World
    email: str
    password: str
    access: str = ""
    access_until: float = 0
    refresh_token: str = ""
    user_id: str = ""
    device: str = ""

    async def open_account(self) -> None:
        """Sign up and confirm."""
        body = {"email": self.email, "password": self.password}
        await self.world.ask(202, "POST", "/v1/register", body)
        await self.world.ask(
            204, "POST", "/v1/email/verify", {"token": await self.world.mailbox.token(self.email, "email/verify")}
        )

    async def sign_in(self) -> None:
        """With the device's token, once there is one."""
        headers = f"{_DEVICE}: {self.device}\r\n" if self.device else ""
        body = {"identifier": self.email, "password": self.password}
        answer = await self.world.ask(200, "POST", "/v1/login", body, headers=headers)
        self._keep(answer)
        self.device = _header(answer, _DEVICE) or self.device
        self.user_id = (await self.get("/v1/me")).json()["user_id"]

    async def refresh(self) -> None:
        """Renew both tokens."""
        self._keep(await self.world.ask(200, "POST", "/v1/refresh", {"refresh_token": self.refresh_token}))

    async def get(self, path: str) -> Answer:
        """Read something that is one's own."""
        return await self.world.ask(200, "GET", path, headers=await self.bearer())

    async def bearer(self) -> str:
        """The header with an access token that is good."""
        if time.monotonic() >= self.access_until:
            await self.refresh()
        return f"Authorization: Bearer {self.access}\r\n"

    async def log_out(self) -> None:
        """End the session, and see that its token is worth nothing."""
        spent = {"refresh_token": self.refresh_token}
        await self.world.ask(204, "POST", "/v1/logout", spent)
        await self.world.ask(401, "POST", "/v1/refresh", spent)

    async def change_password(self) -> None:
        """Every other session ends, this one stays."""
        fresh = self.world.passphrase()
        body = {"current_password": self.password, "new_password": fresh}
        await self.world.ask(204, "POST", "/v1/password/change", body, headers=await self.bearer())
        self.password = fresh
        await self.refresh()

    async def forget_password(self) -> None:
        """Ask for a reset, set another password by the mailed link, and sign in with it."""
        await self.world.ask(202, "POST", "/v1/password/forgot", {"email": self.email})
        token = await self.world.mailbox.token(self.email, "password/reset")
        self.password = self.world.passphrase()
        await self.world.ask(204, "POST", "/v1/password/reset", {"token": token, "new_password": self.password})
        await self.world.ask(401, "POST", "/v1/refresh", {"refresh_token": self.refresh_token})
        await self.sign_in()

    async def close_account(self) -> None:
        """Gone, and nobody signs in to it any more."""
        await self.world.ask(204, "DELETE", "/v1/me", headers=await self.bearer())
        body = {"identifier": self.email, "password": self.password}
        await self.world.ask(401, "POST", "/v1/login", body)

    def _keep(self, answer: Answer) -> None:
        tokens = answer.json()
        self.access, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        self.access_until = time.monotonic() + min(ACCESS_SECONDS, tokens["expires_in"] / 2)


def newcomer(world: World) -> Person:
    """Somebody who has no account yet."""
    number = next(world.numbers)
    email = f"soak-{number}-{world.random.getrandbits(32):08x}@example.com"
    return Person(world=world, email=email, password=world.passphrase())


def _header(answer: Answer, name: str) -> str:
    for line in answer.head.decode("latin-1").split("\r\n"):
        found, _, value = line.partition(":")
        if found.lower() == name.lower():
            return value.strip()
    return ""
