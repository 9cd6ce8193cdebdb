"""What the rotation machine drives: two service instances with clocks of their own, on one table, through a client
that loses answers, repeats writes and holds them back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from botocore.exceptions import ReadTimeoutError

from service.errors import KeyturnError
from service.kernel.ids import new_user_id
from service.mail.outbox import Announced
from service.sessions import items
from service.sessions.ending import EndOne
from service.sessions.flows import EndSession, Logout, LogoutAll, OpenSession
from service.sessions.issue import Issuer
from service.sessions.model import Device, SessionLife, SignInFacts
from service.sessions.refresh import Refresh
from service.sessions.refresh_token import RefreshKeys
from service.sessions.repo import SessionRepo
from service.store.operations import Get
from service.store.table import Table
from service.users.actions import put_user
from service.users.model import User, UserState
from service.users.repo import UserRepo
from tests.support.clock import EPOCH_MS, ManualClock
from tests.support.feed import NO_FEED
from tests.support.store import CountedEntropy

W_MS, D_MS, FLIGHT_MS = 30_000, 2_000, 10_000
GRACE_MS, COALESCE_MS = 34_000, 48_000
IDLE_MS, ABSOLUTE_MS = 600_000, 900_000
LIFE = SessionLife(grace_seconds=30, skew_seconds=2, deadline_seconds=10, idle_seconds=600, absolute_seconds=900)
FACTS = SignInFacts(client_id="first-party", scope="", amr=("pwd",), acr="aal1", auth_time_seconds=EPOCH_MS // 1000)
DEVICE = Device(name=None, user_agent=None, address=None)


@dataclass(frozen=True)
class SkewedClock:
    """The clock of an instance, wrong by a constant."""

    true: ManualClock
    skew_ms: int

    def now_ms(self):
        return self.true.now_ms() + self.skew_ms

    def monotonic_seconds(self):
        return self.true.monotonic_seconds()

    async def sleep(self, seconds):
        await self.true.sleep(seconds)


@dataclass
class FaultyClient:
    """The SDK's client. ``fault`` is taken by the next update: ``lose``, ``drop``, ``repeat`` or ``hold``."""

    client: object
    fault: str | None = None
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None
    release: asyncio.Event | None = None
    _read: asyncio.Event | None = None

    def hold_next(self):
        self.fault, self.held, self.release, self._read = "hold", asyncio.Event(), asyncio.Event(), asyncio.Event()

    def __getattr__(self, operation):
        call = getattr(self.client, operation)

        async def send(**request):
            self.asked.append(operation)
            fault = None
            if operation == "update_item":
                fault, self.fault = self.fault, None
            if fault == "drop":
                raise ReadTimeoutError(endpoint_url="before the write")
            if fault == "hold":
                await self._read.wait()
                self.held.set()
                await self.release.wait()
            answer = await call(**request)
            if operation == "get_item" and self._read is not None:
                self._read.set()
            if fault == "lose":
                raise ReadTimeoutError(endpoint_url="after the write")
            if fault == "repeat":
                return await call(**request)
            return answer

        return send


class QuietAudit:
    def record(self, event):
        pass


class QuietPost:
    def prepare(self, message):
        return Announced(letter=None, action=None)

    def dispatch(self, announced):
        pass


class ConstantAccessTokens:
    """Rotation does not look into access tokens."""

    ttl_seconds = 300

    async def issue(self, grant, *, now_ms):
        return "access"


@dataclass(frozen=True)
class Instance:
    open_session: OpenSession
    refresh: Refresh
    logout: Logout
    logout_all: LogoutAll
    end_session: EndSession


class World:
    """A store, the true time, the server's masters, and what was asked of the store."""

    def __init__(self, loop, dynamo):
        self.loop = loop
        self.clock = ManualClock()
        self.client = FaultyClient(dynamo.client)
        # Real seconds: far beyond what a held call lasts here. The flight of the rule is counted on the manual clock.
        self.dynamo = replace(dynamo, client=self.client, deadline_seconds=60)
        self.entropy = dynamo.entropy
        self.set_active_master(1)

    def set_active_master(self, kid):
        """Make ``kid`` the active master. Nothing is under way meanwhile; each instance knew it before."""
        masters = {each: CountedEntropy(f"master {each}").token_bytes(32) for each in range(1, kid + 2)}
        self.keys = RefreshKeys(masters, active_kid=kid)

    def instance(self, skew_ms):
        clock, keys, audit = SkewedClock(self.clock, skew_ms), self.keys, QuietAudit()
        sessions, users = SessionRepo(dynamo=self.dynamo), UserRepo(dynamo=self.dynamo)
        end = EndOne(sessions=sessions, revocations=NO_FEED)
        issuer = Issuer(access_tokens=ConstantAccessTokens(), refresh_keys=keys)
        return Instance(
            open_session=OpenSession(sessions=sessions, keys=keys, life=LIFE, issuer=issuer, entropy=self.entropy),
            refresh=Refresh(
                sessions=sessions,
                end=end,
                users=users,
                keys=keys,
                life=LIFE,
                issuer=issuer,
                audit=audit,
                clock=clock,
                entropy=self.entropy,
                post=QuietPost(),
                locale="en",
            ),
            logout=Logout(end=end, keys=keys, audit=audit, clock=clock),
            logout_all=LogoutAll(users=users, revocations=NO_FEED, audit=audit),
            end_session=EndSession(end=end, users=users, audit=audit, clock=clock),
        )

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    def attempt(self, *awaitables):
        """What each came to, a refusal as a value; all at the same time."""

        async def outcome(awaitable):
            try:
                return await awaitable
            except KeyturnError as refusal:
                return refusal

        async def together():
            return await asyncio.gather(*map(outcome, awaitables))

        return self.run(together())

    def new_user(self):
        user = User(
            user_id=new_user_id(self.entropy),
            state=UserState.ACTIVE,
            epoch=0,
            email=None,
            email_key=None,
            username=None,
            username_key=None,
            scope="",
            display_name=None,
            locale=None,
            created_ms=EPOCH_MS,
            verified_ms=EPOCH_MS,
        )
        self.run(self.dynamo.write(put_user(user)))
        return user.user_id

    def user(self, user_id):
        return self.run(UserRepo(dynamo=self.dynamo).load(user_id))

    def item(self, user_id, session_id):
        return self.run(self.dynamo.get(Get(table=Table.SESSIONS, key=items.key(user_id, session_id))))
