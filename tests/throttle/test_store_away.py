"""The limiter's table is away: few attempts a minute, never unlimited, and nothing is forgotten."""

from __future__ import annotations

import pytest

from service.errors import TooManyRequests
from service.throttle.limits import ACCOUNT, ADDRESS
from service.throttle.repo import parse, read

EVERYTHING = {"batch_get", "get", "write"}


async def passes(attempt, limiter, lanes, times, **fields):
    passed = 0
    for _ in range(times):
        try:
            passed += await attempt(limiter, lanes, **fields)
        except TooManyRequests:
            continue
    return passed


async def test_a_degraded_local_cap_holds(limiter, lanes, attempt, dynamo):
    dynamo.away = EVERYTHING
    assert await passes(attempt, limiter, lanes(), 50) == ACCOUNT.when_away
    with pytest.raises(TooManyRequests) as refusal:
        await attempt(limiter, lanes())
    assert 1 <= refusal.value.retry_after_seconds <= 60


async def test_the_cap_is_for_right_passwords_too(limiter, lanes, attempt, dynamo):
    dynamo.away = EVERYTHING
    assert await passes(attempt, limiter, lanes(), 50, right=True) == ACCOUNT.when_away


async def test_many_accounts_from_one_address_are_capped(limiter, lanes, attempt, dynamo):
    dynamo.away = EVERYTHING
    passed = [await passes(attempt, limiter, lanes(f"user{number}"), 1) for number in range(50)]
    assert sum(passed) == ADDRESS.when_away


async def test_many_accounts_from_many_addresses_are_capped(make, lanes, attempt, dynamo):
    dynamo.away = EVERYTHING
    limiter = make(total=20)
    passed = [await passes(attempt, limiter, lanes(f"user{n}", f"10.0.0.{n}/32"), 1) for n in range(100)]
    assert sum(passed) == 20


async def test_the_cap_is_full_again_a_minute_later(limiter, lanes, attempt, dynamo, clock):
    dynamo.away = EVERYTHING
    await passes(attempt, limiter, lanes(), 50)
    clock.advance(seconds=60)
    assert await passes(attempt, limiter, lanes(), 50) == ACCOUNT.when_away


async def test_a_caller_whose_own_read_failed_says_so_and_gets_the_cap(limiter, lanes):
    for _ in range(ACCOUNT.when_away):
        await limiter.admit(limiter.look(lanes()), None)
    with pytest.raises(TooManyRequests):
        await limiter.admit(limiter.look(lanes()), None)


async def test_failures_that_could_not_be_written_are_written_with_the_next(limiter, lanes, attempt, dynamo):
    dynamo.away = {"write"}
    await passes(attempt, limiter, lanes(), 3)
    dynamo.away = set()
    await attempt(limiter, lanes())
    assert parse(await dynamo.get(read(lanes().account))).current == 4


async def test_failures_of_an_outage_are_written_after_it(limiter, lanes, attempt, dynamo):
    dynamo.away = EVERYTHING
    await passes(attempt, limiter, lanes(), 3)
    dynamo.away = set()
    await attempt(limiter, lanes())
    assert parse(await dynamo.get(read(lanes().account))).current == 4


async def test_during_a_long_outage_the_limit_of_a_lane_holds_in_each_process(limiter, lanes, attempt, dynamo, clock):
    dynamo.away = EVERYTHING
    passed = []
    for _ in range(6):
        passed.append(await passes(attempt, limiter, lanes(), 10))
        clock.advance(seconds=60)
    # Ten as ever, and then one after 30 s, 1 minute, 2 minutes.
    assert passed == [3, 3, 3, 1, 1, 1]
    dynamo.away = set()
    clock.advance(seconds=60)
    assert await passes(attempt, limiter, lanes(), 3) == 0, "what is written late is a failure of now"
    assert parse(await dynamo.get(read(lanes().account))).current == ACCOUNT.failures + 2
    clock.advance(seconds=900)
    assert await attempt(limiter, lanes(), right=True)


async def test_failures_of_before_the_outage_count_in_it(limiter, lanes, attempt, dynamo):
    for _ in range(ACCOUNT.failures - 1):
        await attempt(limiter, lanes())
    dynamo.away = EVERYTHING
    assert await passes(attempt, limiter, lanes(), 10) == 1


async def test_an_outage_longer_than_a_window_locks_nobody_out_and_writes_no_old_failures(
    limiter, lanes, attempt, dynamo, clock
):
    dynamo.away = EVERYTHING
    for _ in range(4):
        await passes(attempt, limiter, lanes(), 10)
        clock.advance(seconds=60)
    clock.advance(seconds=ACCOUNT.window_seconds)
    assert await passes(attempt, limiter, lanes(), 10) == ACCOUNT.when_away
    dynamo.away = set()
    await attempt(limiter, lanes())
    assert parse(await dynamo.get(read(lanes().account))).current == ACCOUNT.when_away + 1


async def test_when_only_writes_fail_no_attempt_passes_that_would_be_one_too_many(limiter, lanes, attempt, dynamo):
    for _ in range(ACCOUNT.failures - 1):
        await attempt(limiter, lanes())
    dynamo.away = {"write"}
    assert await passes(attempt, limiter, lanes(), 10) == 1


async def test_a_reservation_that_cannot_be_made_falls_under_the_cap(limiter, lanes, attempt, dynamo):
    for _ in range(ACCOUNT.reserve_from):
        await attempt(limiter, lanes())
    dynamo.away = {"write"}
    assert await passes(attempt, limiter, lanes(), 50) == ACCOUNT.when_away


async def test_a_reservation_that_cannot_be_given_back_stays_a_failure(limiter, lanes, attempt, dynamo):
    for _ in range(ACCOUNT.reserve_from):
        await attempt(limiter, lanes())
    async with await limiter.before(lanes()) as admission:
        await admission.at_slot()
        dynamo.away = {"write"}
        await admission.succeeded()
    dynamo.away = set()
    assert parse(await dynamo.get(read(lanes().account))).current == ACCOUNT.reserve_from + 1
