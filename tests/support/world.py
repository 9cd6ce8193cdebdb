"""The service twice in one process: behind a proxy that things happen at, and with nothing between it and its store."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from service.accounts.forgot_password import ForgotPassword
from service.errors import KeyturnError
from service.kernel.email import parse_email
from service.revocations.flows import Feed
from service.users.repo import UserRepo
from tests.support.accounts import make_person, new_name
from tests.support.feed import Poller
from tests.support.journeys.stage import Command, Request, Stage
from tests.support.people import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from email.message import EmailMessage

    from service.accounts.recovery_repo import Found
    from service.base import Base
    from service.store.dynamo import Dynamo
    from tests.support.clock import ManualClock
    from tests.support.journeys.stage import Journey
    from tests.support.mailbox import Mailbox
    from tests.support.store_proxy import StoreProxy

MAIL_IS_TAKEN_OVER_SECONDS = 150
"""When a claim on a mail has run out, and somebody has looked for it."""
_ROUNDS = 5
_numbers = itertools.count(1)


@contextmanager
def hurrying(*stores: Dynamo) -> Iterator[None]:
    """Whoever waits for one of ``stores`` gives up in a third of a second."""
    patient = stores[0].deadline_seconds
    for store in stores:
        object.__setattr__(store, "deadline_seconds", 0.3)
    try:
        yield
    finally:
        for store in stores:
            object.__setattr__(store, "deadline_seconds", patient)


@dataclass(frozen=True)
class Place(Stage):
    """A stage in the same process: accounts without mail, and time that can pass."""

    base: Base = None
    clock: ManualClock = None
    world: World = None

    async def signed_up(self) -> dict[str, Any]:
        await make_person(self.again, email=self.email)
        return await sign_in(self.again, self.email)

    async def guards_refuse(self, tokens: dict[str, Any]) -> bool:
        # Time stands still here, and a reading is good for a second.
        self.again.app.state.services.get(Feed).window._held = None
        poller = Poller(self.again)
        await poller.poll()
        return await poller.refuses(tokens, now_ms=self.clock.now_ms())

    async def wait_for_mail(self, email: str, *, count: int = 1, devices: bool = False) -> None:
        await self.world.settle()
        if len(self.mailbox.all(email, devices=devices)) < count:
            # Who announced it did not send it; whoever finds it when that claim has run out does.
            self.clock.advance(seconds=MAIL_IS_TAKEN_OVER_SECONDS)
            await self.mailbox.wait(email, count=count, devices=devices)

    async def is_told(self, email: str, *, count: int) -> None:
        await self.wait_for_mail(email, count=count)

    async def every_mail(self, email: str) -> list[EmailMessage]:
        """All mails to ``email``, with those that were announced by who did not come to send them."""
        await self.world.settle()
        self.clock.advance(seconds=MAIL_IS_TAKEN_OVER_SECONDS)
        await self.again.app.state.services.get(ForgotPassword).outbox.sweep()
        await self.world.settle()
        return self.mailbox.all(email)

    async def pending(self) -> Found:
        """The user with what waits for a proof, as the store has it."""
        flow = self.again.app.state.services.get(ForgotPassword)
        return await flow.recovery.load(await flow.users.owner_of(flow.identities.of(parse_email(self.email))))

    async def newest_token(self, *, after: int) -> str:
        await self.wait_for_mail(self.email, count=after + 1)
        return self.mailed()[-1]


@dataclass
class World:
    """``client`` and ``base`` have their store behind ``proxy``; ``again`` and ``direct`` have not."""

    client: httpx.AsyncClient
    base: Base
    again: httpx.AsyncClient
    direct: Base
    proxy: StoreProxy
    mailbox: Mailbox
    clock: ManualClock
    asked: set[tuple[str, str]] = field(default_factory=set)
    """Method and path of every request."""
    _resting: set[asyncio.Task[Any]] = field(default_factory=set)
    _keys_read_ms: int = -1

    def rest(self) -> None:
        """What runs now, runs always."""
        self._resting = asyncio.all_tasks()

    def place(self) -> Place:
        """Somebody new, before an empty mailbox."""
        self.mailbox.clear()
        return Place(
            again=self.again,
            mailbox=self.mailbox,
            email=f"{new_name()}@example.com",
            base=self.direct,
            clock=self.clock,
            world=self,
        )

    async def settle(self, seconds: float = 20) -> bool:
        """Until nothing is under way any more, in the background and in the store. Whether that came to pass."""
        deadline, quiet = asyncio.get_running_loop().time() + seconds, 0
        while asyncio.get_running_loop().time() < deadline:
            under_way = asyncio.all_tasks() - self._resting - self.proxy.connections - {asyncio.current_task()}
            quiet = 0 if under_way or self.proxy.serving else quiet + 1
            if quiet > _ROUNDS:
                return True
            if under_way:
                await asyncio.wait(under_way, timeout=0.05)
            else:
                # What has left a socket arrives at the other in a round of the loop.
                await asyncio.sleep(0.001 if self.proxy.serving else 0)
        return False

    def hurrying(self, hurries: bool) -> AbstractContextManager[None]:
        """Whoever waits for the store gives up in a third of a second, where ``hurries``."""
        stores = (self.client.app.state.services.get(UserRepo).dynamo, self.base.dynamo)
        return hurrying(*stores) if hurries else nullcontext()

    async def ready(self, journey: Journey) -> None:
        """Nothing under way, and the signing keys known: what is counted from now on is the request's."""
        if self._keys_read_ms != self.clock.ms:
            self._keys_read_ms = self.clock.ms
            assert (await self.client.get("/readyz")).status_code == 200
        await self.settle()
        journey.upset(self)

    async def send(self, request: Request | Command) -> httpx.Response:
        """The answer of the service behind the proxy, to a client whose address nobody else has."""
        if isinstance(request, Command):
            return await self._run(request)
        self.asked.add((request.method, request.path))
        number = next(_numbers)
        self.client._transport.client = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 50000)
        self.client.cookies.clear()
        headers = dict(request.headers)
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer}"
        return await self.client.request(
            request.method, request.path, json=request.body, data=request.form, headers=headers
        )

    async def _run(self, command: Command) -> httpx.Response:
        """What a command says, as a response: 0 is done."""
        try:
            await command.run(self.base)
        except KeyturnError as error:
            return httpx.Response(error.status, headers=error.headers(), text=error.title)
        return httpx.Response(0)
