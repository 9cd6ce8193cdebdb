from __future__ import annotations

import asyncio

import pytest

from service.errors import TooManyRequests
from service.store.operations import Get
from service.store.table import Table
from service.throttle.device import DeviceId
from service.throttle.gate import LaneLimited
from service.throttle.limits import ACCOUNT, ADDRESS, DEVICE
from service.throttle.repo import parse, read

PHONE = DeviceId(b"p" * 16)


async def failures_of(limiter, lane):
    """What the table says of a lane."""
    return parse(await limiter.gate.repo.dynamo.get(read(lane)))


async def fail(attempt, limiter, lanes, times):
    for _ in range(times):
        await attempt(limiter, lanes)


async def test_ten_wrong_passwords_pass_and_the_eleventh_is_told_when_to_come_back(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    with pytest.raises(TooManyRequests) as refusal:
        await attempt(limiter, lanes())
    assert refusal.value.headers() == {"Retry-After": "30"}


async def test_after_the_delay_one_attempt_passes_and_the_next_waits_twice_as_long(limiter, lanes, attempt, clock):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    for wait in (30, 60, 120, 240, 480, 900, 900):
        clock.advance(seconds=wait - 0.001)
        with pytest.raises(TooManyRequests):
            await attempt(limiter, lanes())
        clock.advance(seconds=0.001)
        await attempt(limiter, lanes())


async def test_the_right_password_is_refused_too_while_the_account_is_limited(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes(), right=True)


async def test_nobody_is_locked_out_for_good(limiter, lanes, attempt, clock):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    clock.advance(seconds=2 * ACCOUNT.window_seconds)
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)


async def test_another_account_is_not_concerned(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes("ada"), ACCOUNT.failures)
    assert await attempt(limiter, lanes("eve"))


async def test_an_account_is_limited_from_many_addresses_together(limiter, lanes, attempt):
    for number in range(ACCOUNT.failures):
        await attempt(limiter, lanes("ada", f"192.0.2.{number}/32"))
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes("ada", "198.51.100.1/32"))


async def test_password_spraying_from_one_address_stops_at_its_limit(limiter, lanes, attempt):
    for number in range(ADDRESS.failures):
        await attempt(limiter, lanes(f"user{number}"))
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes("one-more"))
    assert await attempt(limiter, lanes("one-more", "198.51.100.1/32"))


async def test_a_success_gives_nothing_back_to_the_address(limiter, make, lanes, attempt):
    for number in range(ADDRESS.failures):
        await attempt(limiter, lanes(f"user{number}"))
        if number % 10 == 9:
            await attempt(limiter, lanes("owner"), right=True) if number < ADDRESS.failures - 1 else None
    assert (await failures_of(limiter, lanes().address)).current == ADDRESS.failures
    with pytest.raises(TooManyRequests):
        await attempt(make(), lanes("owner"), right=True)


async def test_a_success_gives_nothing_back_to_the_account(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures - 1)
    for _ in range(3):
        await attempt(limiter, lanes(), right=True)
    assert (await failures_of(limiter, lanes().account)).current == ACCOUNT.failures - 1
    await attempt(limiter, lanes())
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes())


async def test_a_reservation_is_no_failure_once_the_password_was_right(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(), ACCOUNT.reserve_from)
    for _ in range(5 * ACCOUNT.failures):
        await attempt(limiter, lanes(), right=True)
    assert (await failures_of(limiter, lanes().account)).current == ACCOUNT.reserve_from


async def test_a_reservation_of_the_window_before_is_given_back_there(limiter, lanes, attempt, clock):
    clock.ms -= clock.ms % ACCOUNT.window_ms
    await fail(attempt, limiter, lanes(), ACCOUNT.reserve_from)
    async with await limiter.before(lanes()) as admission:
        await admission.at_slot()
        clock.advance(seconds=ACCOUNT.window_seconds)
        await attempt(limiter, lanes())
        await admission.succeeded()
    tally = await failures_of(limiter, lanes().account)
    assert (tally.previous, tally.current) == (ACCOUNT.reserve_from, 1)


async def test_a_reservation_of_a_window_long_gone_changes_nothing(limiter, lanes, attempt, clock):
    await fail(attempt, limiter, lanes(), ACCOUNT.reserve_from)
    async with await limiter.before(lanes()) as admission:
        await admission.at_slot()
        clock.advance(seconds=5 * ACCOUNT.window_seconds)
        await attempt(limiter, lanes())
        await admission.succeeded()
    tally = await failures_of(limiter, lanes().account)
    assert (tally.previous, tally.current) == (0, 1)


async def test_two_processes_share_the_counters(make, lanes, attempt):
    one, other = make(), make()
    for _ in range(ACCOUNT.failures // 2):
        await attempt(one, lanes())
        await attempt(other, lanes())
    for process in (one, other):
        with pytest.raises(TooManyRequests):
            await attempt(process, lanes())


async def test_a_restart_keeps_the_counts(make, lanes, attempt):
    await fail(attempt, make(), lanes(), ACCOUNT.failures)
    with pytest.raises(TooManyRequests):
        await attempt(make(), lanes())


async def test_a_killed_process_loses_no_failure_of_an_account_and_at_most_a_batch_of_an_address(make, lanes, attempt):
    limiter = make()
    for number in range(9):
        await attempt(limiter, lanes(f"user{number % 3}"))
    assert (await failures_of(limiter, lanes("user0").account)).current == 3
    assert (await failures_of(limiter, lanes().address)).current > 9 - ADDRESS.batch


async def test_the_owner_on_a_known_device_signs_in_while_strangers_are_refused(limiter, lanes, attempt):
    for number in range(ACCOUNT.failures):
        await attempt(limiter, lanes("ada", f"192.0.2.{number}/32"))
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes("ada"), right=True)
    assert await attempt(limiter, lanes("ada", device=PHONE), right=True)


async def test_failures_on_a_known_device_do_not_lock_the_account(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(device=PHONE), DEVICE.failures)
    assert await attempt(limiter, lanes(), right=True)


async def test_a_device_over_its_limit_stands_in_the_accounts_lane(make, lanes, attempt):
    limiter = make()
    await fail(attempt, limiter, lanes(device=PHONE), DEVICE.failures)
    for process in (limiter, make()):
        assert await attempt(process, lanes(device=PHONE))
    await fail(attempt, limiter, lanes(), ACCOUNT.failures - 2)
    for process in (limiter, make()):
        with pytest.raises(TooManyRequests):
            await attempt(process, lanes(device=PHONE))


async def test_a_device_over_its_limit_is_refused_from_memory_where_the_account_is_known_to_be_limited(
    make, lanes, attempt, meter
):
    await fail(attempt, make(), lanes(device=PHONE), DEVICE.failures)
    limiter = make()
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    meter.clear()
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes(device=PHONE))
    assert len(meter.calls) == 1


async def test_a_hammered_account_costs_nothing(limiter, lanes, attempt, meter):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    meter.clear()
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            await attempt(limiter, lanes())
    assert meter.calls == []


async def test_a_limit_that_another_process_has_reached_is_read_once(make, lanes, attempt, meter):
    await fail(attempt, make(), lanes(), ACCOUNT.failures)
    other = make()
    meter.clear()
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            await attempt(other, lanes())
    assert [call.operation for call in meter.calls] == ["batch_get_item"]


async def test_units_of_a_failure_a_success_and_a_refusal(make, lanes, attempt, meter):
    limiter = make()
    await attempt(limiter, lanes(), right=True)
    assert (meter.wru, meter.rru) == (0, 2)
    meter.clear()
    await attempt(limiter, lanes())
    assert (meter.wru, meter.rru) == (1, 2)
    await fail(attempt, limiter, lanes(), ACCOUNT.reserve_from - 1)
    meter.clear()
    await attempt(limiter, lanes())
    assert (meter.wru, meter.rru) == (1, 2)
    meter.clear()
    await attempt(limiter, lanes(), right=True)
    assert (meter.wru, meter.rru) == (2, 2)


async def test_the_reads_can_stand_in_the_doors_own_batch(limiter, lanes, attempt, dynamo, meter):
    await fail(attempt, limiter, lanes(), 3)
    look = limiter.look(lanes())
    meter.clear()
    _owner, *items = await dynamo.batch_get([Get(table=Table.IDENTITIES, key={"k": "e1#ada"}), *look.reads])
    assert parse(items[0]).current == 3
    async with await limiter.admit(look, items) as admission:
        await admission.at_slot()
        await admission.failed()
    assert [call.operation for call in meter.calls] == ["batch_get_item", "update_item"]


async def test_an_attempt_without_an_outcome_counts_as_failed(limiter, lanes, attempt):
    for _ in range(ACCOUNT.failures):
        async with await limiter.before(lanes()) as admission:
            await admission.at_slot()
    with pytest.raises(TooManyRequests):
        await attempt(limiter, lanes())


async def test_an_attempt_that_never_got_a_slot_counts_for_nothing(limiter, lanes):
    for _ in range(2 * ACCOUNT.failures):
        async with await limiter.before(lanes()):
            pass
    assert (await failures_of(limiter, lanes().account)).current == 0


@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
async def test_an_outcome_without_a_slot_is_a_mistake_of_the_caller(limiter, lanes, outcome):
    admission = await limiter.before(lanes())
    with pytest.raises(RuntimeError, match="at_slot"):
        await getattr(admission, outcome)()


async def test_what_the_first_lane_reserved_is_given_back_when_the_second_refuses(make, lanes, attempt):
    limiter = make()
    await fail(attempt, limiter, lanes("ada", "198.51.100.1/32"), ACCOUNT.reserve_from)
    admission = await limiter.before(lanes("ada"))
    for number in range(ADDRESS.failures):
        await attempt(limiter, lanes(f"user{number}"))
    with pytest.raises(TooManyRequests):
        await admission.at_slot()
    assert (await failures_of(limiter, lanes("ada").account)).current == ACCOUNT.reserve_from


async def test_a_full_memory_leaves_nothing_pending_in_it(make, lanes, attempt):
    limiter = make(capacity=4)
    for number in range(60):
        await attempt(limiter, lanes(f"user{number}", f"192.0.2.{number % 20}/32"))
    assert len(limiter.gate.memory) == 4
    counted = [
        (await failures_of(limiter, lanes(prefix=f"192.0.2.{number}/32").address)).current for number in range(20)
    ]
    # What stood in memory before it was full is lost once: two lanes, one failure each.
    assert sum(counted) >= 58


async def test_the_first_failures_of_a_new_window_race_without_losing_one(make, lanes):
    processes = [make() for _ in range(8)]

    async def one(limiter):
        async with await limiter.before(lanes()) as admission:
            await admission.at_slot()
            await admission.failed()

    await asyncio.gather(*(one(limiter) for limiter in processes))
    assert (await failures_of(processes[0], lanes().account)).current == 8


async def test_counts_move_to_the_previous_window_when_it_changes(limiter, lanes, attempt, clock):
    clock.ms -= clock.ms % ACCOUNT.window_ms
    await fail(attempt, limiter, lanes(), 4)
    clock.advance(seconds=ACCOUNT.window_seconds)
    await attempt(limiter, lanes())
    tally = await failures_of(limiter, lanes().account)
    assert (tally.previous, tally.current) == (4, 1)


async def test_expired_windows_that_ttl_has_not_deleted_count_for_nothing(make, lanes, attempt, clock):
    await fail(attempt, make(), lanes(), ACCOUNT.failures)
    clock.advance(seconds=10 * ACCOUNT.window_seconds)
    limiter = make()
    await fail(attempt, limiter, lanes(), ACCOUNT.failures)
    assert (await failures_of(limiter, lanes().account)).previous == 0


async def test_an_item_holds_neither_a_name_nor_an_address_and_expires(limiter, lanes, attempt, dynamo, clock):
    await fail(attempt, limiter, lanes(), ADDRESS.batch)
    for lane in (lanes().account, lanes().address):
        item = await dynamo.get(read(lane))
        assert "ada" not in repr(item)
        assert "192.0.2" not in repr(item)
        assert clock.now_ms() < item["ttl"] * 1000 <= clock.now_ms() + 2 * lane.limit.window_ms + 60_000


async def test_a_caller_cancelled_at_its_hash_leaves_nothing_under_way(limiter, lanes):
    started = asyncio.Event()

    async def hanging():
        async with await limiter.before(lanes()) as admission:
            await admission.at_slot()
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hanging())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    state = limiter.gate.memory.of(lanes().account.key)
    assert state.is_idle
    assert state.pending == 1


async def test_a_refusal_while_others_are_under_way_is_for_a_moment_and_not_remembered(limiter, lanes, attempt):
    await fail(attempt, limiter, lanes(), ACCOUNT.failures - 1)
    async with await limiter.before(lanes()) as last, await limiter.before(lanes()) as late:
        await last.at_slot()
        with pytest.raises(TooManyRequests) as refusal:
            await late.at_slot()
        assert refusal.value.retry_after_seconds == 1
        await last.succeeded()
    assert await attempt(limiter, lanes(), right=True)


async def test_of_all_refusals_until_one_moment_a_process_tells_one_as_news(make, lanes, attempt, clock):
    async def refusals(limiter, times):
        seen = []
        for _ in range(times):
            with pytest.raises(LaneLimited) as refusal:
                await attempt(limiter, lanes())
            seen.append((refusal.value.lane, refusal.value.is_news))
        return seen

    here = make()
    await fail(attempt, here, lanes(), ACCOUNT.failures)
    for limiter in (here, make()):
        assert await refusals(limiter, 3) == [("account", True), ("account", False), ("account", False)]
    clock.advance(seconds=30)
    await attempt(here, lanes())
    assert await refusals(here, 2) == [("account", True), ("account", False)]
