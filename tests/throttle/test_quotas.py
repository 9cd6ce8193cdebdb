from __future__ import annotations

import asyncio

import pytest

from service.errors import TooManyRequests
from service.store.errors import StoreUnavailable
from service.throttle.lanes import LaneKeys
from service.throttle.limits import MAIL_TO_ADDRESS
from service.throttle.quotas import NoQuotas, StoredQuotas


@pytest.fixture
def quotas(dynamo, clock):
    return StoredQuotas(dynamo=dynamo, keys=LaneKeys(bytes(32)), clock=clock)


async def take(quotas, subject="e1#ada"):
    await quotas.take(MAIL_TO_ADDRESS, subject)


async def test_the_burst_of_mails_at_once_and_then_one_an_interval(quotas, clock):
    for _ in range(MAIL_TO_ADDRESS.burst):
        await take(quotas)
    for _ in range(3):
        with pytest.raises(TooManyRequests) as refusal:
            await take(quotas)
        assert refusal.value.retry_after_seconds == MAIL_TO_ADDRESS.interval_seconds
        clock.advance(seconds=MAIL_TO_ADDRESS.interval_seconds)
        await take(quotas)


async def test_another_address_has_its_own(quotas):
    for _ in range(3):
        await take(quotas)
    await take(quotas, "e1#eve")


async def test_a_hundred_at_once_get_the_burst_and_no_more(quotas):
    answers = await asyncio.gather(*(take(quotas) for _ in range(100)), return_exceptions=True)
    assert answers.count(None) == MAIL_TO_ADDRESS.burst
    assert all(isinstance(answer, TooManyRequests) for answer in answers if answer is not None)


async def test_a_rested_quota_costs_one_unit_and_one_inside_a_burst_two(quotas, meter):
    await take(quotas)
    assert [call.operation for call in meter.calls] == ["update_item"]
    await take(quotas)
    assert [call.operation for call in meter.calls] == ["update_item"] * 3


async def test_a_rested_quota_that_ttl_has_not_deleted_is_whole(quotas, clock):
    for _ in range(3):
        await take(quotas)
    clock.advance(seconds=3 * 1800 + 1)
    for _ in range(3):
        await take(quotas)


async def test_no_mail_goes_out_uncounted_while_the_store_is_away(quotas, dynamo):
    dynamo.away = {"write"}
    with pytest.raises(StoreUnavailable):
        await take(quotas)


async def test_the_twin_lets_everything_pass():
    for _ in range(100):
        await take(NoQuotas())
