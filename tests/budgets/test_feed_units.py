"""What the revocation feed costs, in the units that DynamoDB says it consumed."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from service.errors import InvalidGrant, NotFound
from service.kernel.ids import new_session_id, parse_session_id
from service.revocations.flows import Feed
from service.revocations.log import RevocationLog
from service.revocations.model import BUCKET_SECONDS
from service.sessions.flows import EndSession, LogoutAll
from service.tokens.keyring import KeyRing
from tests.budgets.test_units import BUDGET, dynoxide_url, house
from tests.support.feed import FEED_KEYS

__all__ = ["dynoxide_url", "house"]

BESIDE_A_FEED = {
    # operation: (write units, read units)
    "sign in on a new device": (4, 2),
    "refresh, rotated": (1, 1),
    "refresh, reuse found": (6, 1),
    "log out": (2, 1),
    "log out again": (0, 1),
    "end a session": (2, 3),
    "end a session that is not there": (0, 2),
    "log out everywhere": (4, 1),
    "poll, with nothing new": (0, 4),
    "poll, with 400 new entries": (0, 8),
    "poll, again within a second": (0, 0),
}


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"revocation_feed_keys": SecretStr(FEED_KEYS)})


@pytest.fixture(autouse=True)
def _budget(monkeypatch):
    monkeypatch.setattr("tests.budgets.test_units.BUDGET", BESIDE_A_FEED)


async def pass_time(house, *, seconds):
    """The signing keys are read again beside a request, whatever it is, and are no part of any."""
    house.clock.advance(seconds=seconds)
    await house.flow(KeyRing).refresh()


async def test_sign_in_and_refresh_cost_what_they_cost_without_a_feed(house):
    await house.person()
    async with house.costs("sign in on a new device"):
        issued = await house.sign_in()
    async with house.costs("refresh, rotated"):
        await house.refresh(issued)
    for operation in ("sign in on a new device", "refresh, rotated"):
        assert BESIDE_A_FEED[operation] == BUDGET[operation]


async def test_what_ends_a_session_writes_one_entry_and_reads_the_session(house):
    stolen = await house.person()
    await house.refresh(stolen)
    await pass_time(house, seconds=60)
    async with house.costs("refresh, reuse found"):
        with pytest.raises(InvalidGrant):
            await house.refresh(stolen)
    issued, other = await house.sign_in(), await house.sign_in()
    user_id, end = house.user_of(issued), house.flow(EndSession)
    async with house.costs("end a session"):
        epoch = await house.epoch_of(issued)
        await end(user_id, parse_session_id(other.session_id), session_epoch=epoch)
    async with house.costs("end a session that is not there"):
        with pytest.raises(NotFound):
            await end(user_id, new_session_id(house.entropy), session_epoch=epoch)
    async with house.costs("log out"):
        await house.log_out(issued)
    async with house.costs("log out again"):
        await house.log_out(issued)


async def test_what_ends_a_users_sessions_is_one_transaction_of_two(house):
    issued = await house.person()
    async with house.costs("log out everywhere"):
        await house.flow(LogoutAll)(house.user_of(issued), session_epoch=await house.epoch_of(issued))


async def test_polls_cost_one_reading_a_second_and_entries_by_their_size(house):
    feed, log, clock = house.flow(Feed), house.flow(RevocationLog), house.clock
    await pass_time(house, seconds=BUCKET_SECONDS - clock.ms // 1000 % BUCKET_SECONDS + BUCKET_SECONDS / 2)
    await feed.after(None)
    clock.advance(seconds=1)
    async with house.costs("poll, with nothing new"):
        await feed.after(None)
    for number in range(400):
        # The last byte is the shard's chance: a hundred entries in each.
        await log.session_ends(number.to_bytes(16))
    clock.advance(seconds=1)
    async with house.costs("poll, with 400 new entries"):
        await feed.after(None)
    async with house.costs("poll, again within a second"):
        for _ in range(100):
            await feed.after(None)
