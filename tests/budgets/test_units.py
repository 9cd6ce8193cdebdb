"""What each operation costs, in the units that DynamoDB says it consumed.

The rule: a write costs a unit a kilobyte of the larger of old and new item, and twice that in a transaction. A refused
condition costs as much, though the refusal names no units: it is counted here by the rule. A strongly consistent read
costs a unit for 4 KB, and for nothing as well.

Asserted on dynoxide, which has these right (docs/engines.md). DynamoDB Local counts nothing for what is missing, and
MiniStack one unit whatever the size, and nothing for a batch.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from prometheus_client import CollectorRegistry

from service.accounts.close import CloseAccount
from service.accounts.names import NewNames
from service.accounts.register import Register
from service.accounts.verify_email import VerifyEmail
from service.base import open_base
from service.cli.context import migrate_context
from service.engines.process import EngineProcess
from service.errors import InvalidCredentials, InvalidGrant, NotFound
from service.kernel.email import parse_email
from service.kernel.ids import new_session_id, new_user_id, parse_session_id
from service.kernel.secret import Secret
from service.kernel.username import parse_username
from service.migrate.runner import apply_all
from service.sessions.flows import EndSession, ListSessions, Logout, LogoutAll
from service.sessions.model import Device
from service.sessions.refresh import Refresh
from service.signin.flows import SignIn
from service.signin.model import Origin
from service.telemetry.metrics import Metrics
from service.tokens.keyring import KeyRing
from service.tokens.session_gate import SessionGate
from service.users.flows import Profiles
from service.wiring.build import build
from tests.support.mailbox import Mailbox
from tests.support.people import PASSWORD
from tests.support.store import READS, RecordingMeter

EMAIL = "ada@example.com"
DEVICE = Device(name="Ada's phone", user_agent="Mozilla/5.0 " + "x" * 108, address="2001:db8:1234:5678::/64")

ORIGIN = Origin(network="192.0.2.1/32", device_token=None)

BUDGET = {
    # operation: (write units, read units)
    "register": (6, 1),
    "register with a username": (6, 2),
    "register an address that has an account": (6, 1),
    "verify": (8, 1),
    "verify with a username": (10, 1),
    "verify with a token that is not ours": (0, 0),
    "sign in for the first time": (2, 2),
    "sign in on a known device": (1, 2),
    "sign in on a new device": (4, 2),
    "sign in with a wrong password": (0, 2),
    "sign in with a name that is nobody's": (0, 2),
    "sign in with what is no name": (0, 2),
    "refresh, rotated": (1, 1),
    "refresh, coalesced": (1, 1),
    "refresh, in the grace": (1, 1),
    "refresh, reuse found": (5, 1),
    "refresh, revoked": (1, 1),
    "refresh, forged": (0, 0),
    "log out": (1, 0),
    "log out again": (1, 0),
    "log out with a token that is not ours": (0, 0),
    "log out everywhere": (1, 1),
    "me from the table": (0, 1),
    "change my profile": (1, 1),
    "list eight sessions": (0, 2),
    "end a session": (1, 2),
    "end a session that is not there": (1, 1),
    "look another user up": (0, 2),
    "look nobody up": (0, 2),
    "close with a username and one session": (11, 3),
}


class RefusalsCost(RecordingMeter):
    """Counts a refused write as DynamoDB bills it: a unit, since what we write with a condition is below 1 KB."""

    def record(self, *, operation, table, **rest):
        # The outbox works after the answer: it looks for letters now and then (tests/docs/costs counts that), and
        # removes what has left. Events are written in the background, a unit each (tests/audit counts them).
        if table == "audit" or (table == "outbox" and operation in {"query", "delete_item"}):
            return
        super().record(operation=operation, table=table, **rest)

    @property
    def wru(self):
        return super().wru + sum(call.failed and call.operation not in READS for call in self.calls)


@dataclass
class House:
    """The service's flows, one signed-in person, and a meter that is read after each operation."""

    services: object
    meter: RecordingMeter
    clock: object
    mailbox: Mailbox
    entropy: object

    def flow(self, kind):
        return self.services.get(kind)

    async def register(self, email=EMAIL, username=None):
        names = NewNames(email=parse_email(email), username=None if username is None else parse_username(username))
        await self.flow(Register)(names, Secret(PASSWORD), locale="en", network=ORIGIN.network)

    async def verify(self, email=EMAIL):
        await self.flow(VerifyEmail).by_token(Secret(await self.mailbox.token(email)))

    async def sign_in(self, identifier=EMAIL, password=PASSWORD, *, origin=ORIGIN):
        return (await self.sign_in_with_device(identifier, password, origin=origin)).tokens

    async def sign_in_with_device(self, identifier=EMAIL, password=PASSWORD, *, origin=ORIGIN):
        return await self.flow(SignIn)(identifier=identifier, password=Secret(password), device=DEVICE, origin=origin)

    async def refresh(self, issued):
        return await self.flow(Refresh)(issued.refresh_token)

    async def log_out(self, issued):
        await self.flow(Logout)(issued.refresh_token)

    async def person(self, username=None):
        await self.register(username=username)
        await self.verify()
        return await self.sign_in()

    def session_of(self, issued):
        return self.flow(Refresh).keys.decode(issued.refresh_token.reveal()).session_id

    async def epoch_of(self, issued):
        """What the guard of the doors reads."""
        gate, now_ms = self.flow(SessionGate), self.clock.now_ms()
        return await gate.sessions.live_epoch(self.user_of(issued), self.session_of(issued), now_ms=now_ms)

    def user_of(self, issued):
        return self.flow(Refresh).keys.decode(issued.refresh_token.reveal()).user_id

    @asynccontextmanager
    async def costs(self, operation):
        """What happens inside costs what the budget says."""
        self.meter.clear()
        yield
        assert (self.meter.wru, self.meter.rru) == BUDGET[operation], self.meter.calls


@pytest.fixture(scope="module")
def dynoxide_url(unit_engine):
    process = EngineProcess(unit_engine)
    asyncio.run(process.start())
    yield process.endpoint_url
    asyncio.run(process.stop())


@pytest.fixture
async def house(dynoxide_url, settings, clock, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynoxide_url)
    async with open_base(settings, Metrics(registry=CollectorRegistry()), clock=clock) as base:
        await apply_all(migrate_context(base, embedded=True))
        meter = RefusalsCost()
        async with build(replace(base, dynamo=replace(base.dynamo, meter=meter))) as services:
            await services.get(KeyRing).signer()
            yield House(services, meter, clock, Mailbox(tmp_path / "mail"), base.entropy)


@pytest.mark.parametrize(("suffix", "username"), [("", None), (" with a username", "ada")])
async def test_a_sign_up_costs_little_until_it_is_confirmed(house, suffix, username):
    async with house.costs("register" + suffix):
        await house.register(username=username)
    async with house.costs("verify" + suffix):
        await house.verify()


async def test_an_address_that_has_an_account_costs_what_a_free_one_costs(house):
    await house.person()
    async with house.costs("register an address that has an account"):
        await house.register()
    assert BUDGET["register an address that has an account"] == BUDGET["register"]


async def test_a_forged_confirmation_costs_nothing(house):
    async with house.costs("verify with a token that is not ours"):
        with pytest.raises(Exception, match="not_ours"):
            await house.flow(VerifyEmail).by_token(Secret("forged"))


async def test_a_sign_in_costs_one_write_and_two_reads_and_one_write_more_where_the_device_is_new(house):
    await house.register()
    await house.verify()
    async with house.costs("sign in for the first time"):
        signed_in = await house.sign_in_with_device()
    async with house.costs("sign in on a known device"):
        await house.sign_in(origin=replace(ORIGIN, device_token=signed_in.device_token))
    async with house.costs("sign in on a new device"):
        await house.sign_in()


@pytest.mark.parametrize(
    ("operation", "identifier"),
    [
        ("sign in with a wrong password", EMAIL),
        ("sign in with a name that is nobody's", "eve@example.com"),
        ("sign in with what is no name", "@"),
    ],
)
async def test_a_sign_in_that_fails_costs_the_same_whoever_it_names(house, operation, identifier):
    await house.person()
    async with house.costs(operation):
        with pytest.raises(InvalidCredentials):
            await house.sign_in(identifier, "not " + PASSWORD)


async def test_a_refresh_costs_one_write_and_one_read_however_it_succeeds(house):
    first = await house.person()
    async with house.costs("refresh, rotated"):
        second = await house.refresh(first)
    async with house.costs("refresh, in the grace"):
        assert (await house.refresh(first)).refresh_token == second.refresh_token
    async with house.costs("refresh, coalesced"):
        assert (await house.refresh(second)).refresh_token == second.refresh_token


async def test_finding_a_stolen_token_costs_a_transaction_that_ends_its_session_and_tells_its_owner(house):
    first = await house.person()
    await house.refresh(first)
    house.clock.advance(seconds=60)
    async with house.costs("refresh, reuse found"):
        with pytest.raises(InvalidGrant):
            await house.refresh(first)
    async with house.costs("refresh, revoked"):
        with pytest.raises(InvalidGrant):
            await house.refresh(first)


@pytest.mark.parametrize("text", ["ktr_" + "0" * 101, "x", ""])
async def test_a_flood_of_forged_tokens_costs_nothing(house, text):
    async with house.costs("refresh, forged"):
        for _ in range(20):
            with pytest.raises(InvalidGrant):
                await house.flow(Refresh)(Secret(text))
    async with house.costs("log out with a token that is not ours"):
        await house.flow(Logout)(Secret(text))


async def test_logging_out_costs_one_write_each_time(house):
    issued = await house.person()
    async with house.costs("log out"):
        await house.log_out(issued)
    async with house.costs("log out again"):
        await house.log_out(issued)


async def test_logging_out_everywhere_costs_one_write_and_one_read_however_many_sessions_there_are(house):
    issued = await house.person()
    for _ in range(3):
        await house.sign_in()
    async with house.costs("log out everywhere"):
        await house.flow(LogoutAll)(house.user_of(issued), session_epoch=await house.epoch_of(issued))


async def test_listing_eight_sessions_costs_one_read_and_one_of_the_user(house):
    issued = await house.person()
    for _ in range(7):
        await house.sign_in()
    async with house.costs("list eight sessions"):
        found = await house.flow(ListSessions)(house.user_of(issued), start=None)
    assert len(found.sessions) == 8


async def test_ending_a_session_costs_one_write_whether_or_not_it_is_there(house):
    issued = await house.person()
    async with house.costs("end a session"):
        await house.flow(EndSession)(
            house.user_of(issued), parse_session_id(issued.session_id), session_epoch=await house.epoch_of(issued)
        )
    async with house.costs("end a session that is not there"):
        with pytest.raises(NotFound):
            await house.flow(EndSession)(house.user_of(issued), new_session_id(house.entropy), session_epoch=0)


async def test_looking_at_oneself_costs_one_read_and_at_others_one_more(house):
    issued = await house.person()
    user_id = house.user_of(issued)
    async with house.costs("me from the table"):
        await house.flow(Profiles).of_caller(user_id)
    await house.register("eve@example.com")
    await house.verify("eve@example.com")
    other = house.user_of(await house.sign_in("eve@example.com"))
    async with house.costs("look another user up"):
        await house.flow(Profiles).of(other, seen_by=user_id)
    async with house.costs("look nobody up"):
        with pytest.raises(NotFound):
            await house.flow(Profiles).of(new_user_id(house.entropy), seen_by=user_id)
    async with house.costs("change my profile"):
        epoch = await house.epoch_of(issued)
        await house.flow(Profiles).change(user_id, {"display_name": "Ada Lovelace"}, session_epoch=epoch)


async def test_closing_costs_one_transaction_and_a_write_a_session(house):
    issued = await house.person(username="ada")
    async with house.costs("close with a username and one session"):
        await house.flow(CloseAccount)(house.user_of(issued), house.session_of(issued))


async def test_while_the_keys_are_known_no_operation_reads_them(house):
    await house.person()
    house.meter.clear()
    await house.sign_in()
    assert not [call for call in house.meter.calls if call.table == "keys"]
