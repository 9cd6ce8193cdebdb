"""Every door that takes a secret, as somebody who guesses and as its owner. ``test_every_door.py`` knows no other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from service.throttle.limits import ACCOUNT, CODE
from tests.support.accounts import Person, make_person, new_name
from tests.support.people import PASSWORD, bearer, register, sign_in

if TYPE_CHECKING:
    import httpx

    from service.throttle.model import Limit
    from tests.doors.scene import Scene

NEW_PASSWORD = "a wholly different long sentence"
WRONG_CODE = "22222222"
WRONG_PASSWORD = "wrong wrong wrong wrong"
# All failures within one window: what is left of them falls below the limit when a tenth of the next is over.
_CODE_WAIT_SECONDS = 2 * CODE.window_seconds - 9 * CODE.window_seconds // 10


class Door(ABC):
    """One person's door: ``await LoginByAddress.of(scene)``."""

    route: ClassVar[tuple[str, str]]
    limit: ClassVar[Limit]
    """Its lane."""
    wait_seconds: ClassVar[int]
    """What Retry-After says after as many failures as the limit allows, at once."""
    wrong: ClassVar[tuple[int, str]]
    right: ClassVar[int]

    @classmethod
    @abstractmethod
    async def of(cls, scene: Scene) -> Self: ...

    @abstractmethod
    async def guess(self) -> httpx.Response: ...

    @abstractmethod
    async def enter(self) -> httpx.Response:
        """With the right secret."""

    @abstractmethod
    def evaluated(self) -> int:
        """How many secrets were looked at, whoever's."""


@dataclass
class LoginByAddress(Door):
    scene: Scene
    person: Person

    route = ("POST", "/v1/login")
    limit, wait_seconds = ACCOUNT, 30
    wrong, right = (401, "invalid_credentials"), 200

    @classmethod
    async def of(cls, scene):
        return cls(scene, await make_person(scene.client))

    @property
    def identifier(self):
        return self.person.email

    async def guess(self):
        return await self._login(WRONG_PASSWORD)

    async def enter(self):
        return await self._login(PASSWORD)

    def evaluated(self):
        return self.scene.hashes()

    async def _login(self, password):
        body = {"identifier": self.identifier, "password": password}
        return await self.scene.client.post(self.route[1], json=body)


class LoginByUsername(LoginByAddress):
    @property
    def identifier(self):
        return self.person.username


@dataclass
class VerifyCode(Door):
    scene: Scene
    email: str

    route = ("POST", "/v1/email/verify")
    limit, wait_seconds = CODE, _CODE_WAIT_SECONDS
    wrong, right = (400, "invalid_token"), 204

    @classmethod
    async def of(cls, scene):
        email = f"{new_name()}@example.com"
        await register(scene.client, email)
        await scene.mailbox.wait(email)
        return cls(scene, email)

    async def guess(self):
        return await self._verify(WRONG_CODE)

    async def enter(self):
        return await self._verify(await self.scene.mailbox.code(self.email))

    def evaluated(self):
        return self.scene.calls("onetime")

    async def _verify(self, code):
        return await self.scene.client.post(self.route[1], json={"email": self.email, "code": code})


@dataclass
class PasswordChange(Door):
    scene: Scene
    person: Person
    tokens: dict[str, Any]
    signed_in_ms: int

    route = ("POST", "/v1/password/change")
    limit, wait_seconds = CODE, _CODE_WAIT_SECONDS
    wrong, right = (401, "invalid_credentials"), 204

    @classmethod
    async def of(cls, scene):
        person = await make_person(scene.client)
        return cls(scene, person, await sign_in(scene.client, person.email), scene.clock.ms)

    async def guess(self):
        return await self._post(self.body(WRONG_PASSWORD))

    async def enter(self):
        return await self._post(self.body(PASSWORD))

    def evaluated(self):
        return self.scene.hashes()

    def body(self, password):
        return {"current_password": password, "new_password": NEW_PASSWORD}

    async def _post(self, body):
        if self.scene.clock.ms != self.signed_in_ms:
            # Access tokens live for minutes, and limits for an hour.
            self.tokens, self.signed_in_ms = await sign_in(self.scene.client, self.person.email), self.scene.clock.ms
        return await self.scene.client.post(self.route[1], json=body, headers=bearer(self.tokens))


class EmailChange(PasswordChange):
    route = ("POST", "/v1/email/change")
    right = 202

    def body(self, password):
        return {"new_email": f"{new_name()}@example.com", "password": password}


LANED = (LoginByAddress, LoginByUsername, VerifyCode, PasswordChange, EmailChange)
"""Doors that answer 429 from the limit on."""


@dataclass
class ResetCode(Door):
    scene: Scene
    person: Person

    route = ("POST", "/v1/password/reset")
    limit, wait_seconds = CODE, 0
    wrong, right = (400, "invalid_token"), 204

    @classmethod
    async def of(cls, scene):
        door = cls(scene, await make_person(scene.client))
        await door.ask()
        return door

    @property
    def address(self):
        return self.person.email

    async def ask(self):
        """Have another mail sent."""
        count = len(self.scene.mailbox.all(self.address)) + 1
        await self._ask()
        await self.scene.mailbox.wait(self.address, count=count)

    async def guess(self):
        return await self._try(WRONG_CODE)

    async def enter(self):
        return await self._try(await self.code())

    async def follow_the_link(self):
        token = await self.scene.mailbox.token(self.address, count=len(self.scene.mailbox.all(self.address)))
        body = {"token": token, "new_password": NEW_PASSWORD}
        return await self.scene.client.post(self.route[1], json=body)

    async def code(self):
        return await self.scene.mailbox.code(self.address, count=len(self.scene.mailbox.all(self.address)))

    def evaluated(self):
        raise NotImplementedError("the tries are counted in the profile: each is one write, refused or not")

    async def _ask(self):
        await self.scene.client.post("/v1/password/forgot", json={"email": self.person.email})

    async def _try(self, code):
        body = {"email": self.person.email, "code": code, "new_password": NEW_PASSWORD}
        return await self.scene.client.post(self.route[1], json=body)


@dataclass
class EmailChangeCode(ResetCode):
    route = ("POST", "/v1/email/change/confirm-code")

    def __post_init__(self):
        self._new = f"{new_name()}@example.com"

    @property
    def address(self):
        return self._new

    async def follow_the_link(self):
        token = await self.scene.mailbox.token(self.address, count=len(self.scene.mailbox.all(self.address)))
        return await self.scene.client.post("/v1/email/change/confirm", json={"token": token})

    async def _ask(self):
        self._headers = bearer(await sign_in(self.scene.client, self.person.email))
        body = {"new_email": self._new, "password": PASSWORD}
        await self.scene.client.post("/v1/email/change", json=body, headers=self._headers)

    async def _try(self, code):
        return await self.scene.client.post(self.route[1], json={"code": code}, headers=self._headers)


COUNTED_BY_MAIL = (ResetCode, EmailChangeCode)
"""Doors where each mail's code may be tried ten times, and which answer the eleventh like the tenth."""
