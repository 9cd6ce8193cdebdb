from __future__ import annotations

import asyncio

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.audit.event import EventKind
from service.store.errors import ConditionFailed, StoreUnavailable
from service.telemetry.request_facts import RequestFacts, facts_from
from tests.unit.audit.conftest import USER, make_bench, make_event

AWAY = StoreUnavailable("away")


async def settle(bench):
    """Let the writers go on until they end."""
    while bench.audit._tasks:
        await asyncio.wait(set(bench.audit._tasks))
    await asyncio.sleep(0)


async def never():
    await asyncio.Event().wait()


async def test_recording_returns_before_anything_is_written(bench):
    bench = bench()
    bench.audit.record(make_event())
    assert bench.dynamo.tries == 0
    await settle(bench)
    assert bench.outcomes == ["ok"]


async def test_a_slow_store_does_not_hold_up_who_records(bench):
    bench = bench()
    bench.dynamo.ways = [never, never]
    for _ in range(50):
        bench.audit.record(make_event())
    await asyncio.sleep(0)
    assert bench.meter.waiting == 48
    await bench.audit.drain(0.01)


async def test_events_carry_the_time_and_the_request_of_their_recording(bench):
    bench = bench()
    with facts_from(lambda: RequestFacts(request_id="r1", address="192.0.2.0/24", user_agent="Browser")):
        bench.audit.record(make_event())
    recorded_ms = bench.clock.ms
    bench.clock.advance(seconds=60)
    await settle(bench)
    (item,) = bench.dynamo.items.values()
    assert item["sk"].startswith(str(recorded_ms))
    assert (item["rq"], item["ip"], item["ua"]) == ("r1", "192.0.2.0/24", "Browser")


async def test_a_writer_keeps_nothing_of_the_request_that_started_it(bench):
    bench, seen = bench(), []

    async def look():
        seen.append(structlog.contextvars.get_contextvars())

    bench.dynamo.ways = [look]
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        bench.audit.record(make_event())
    await settle(bench)
    assert seen == [{}]


async def test_an_event_for_nowhere_costs_nothing(bench):
    bench = bench()
    bench.audit.record(make_event(kind=EventKind.REFRESH, outcome="rotated"))
    assert await bench.audit.keep(make_event(kind=EventKind.REFRESH, outcome="rotated"))
    await settle(bench)
    assert bench.dynamo.tries == 0


async def test_a_store_that_is_away_is_tried_again_with_growing_delays(bench, lines):
    bench = bench()
    bench.dynamo.ways = [AWAY] * 5
    bench.audit.record(make_event())
    await settle(bench)
    assert bench.outcomes == ["ok"]
    delays = bench.clock.slept
    assert len(delays) == 5
    assert all(
        ceiling / 2 <= delay <= ceiling for delay, ceiling in zip(delays, (0.2, 0.4, 0.8, 1.6, 3.2), strict=True)
    )
    assert lines == []


async def test_a_store_that_stays_away_costs_the_event_and_says_so(bench, lines):
    bench = bench()
    bench.dynamo.ways = [AWAY] * 8
    bench.audit.record(make_event())
    await settle(bench)
    assert (bench.dynamo.items, bench.dynamo.tries, bench.meter.dropped) == ({}, 8, ["store_away"])
    (line,) = lines
    assert (line["event"], line["log_level"], line["reason"]) == ("audit_event_dropped", "error", "store_away")
    assert (line["kind"], line["outcome"]) == ("sign_in", "ok")


async def test_log_flooding_a_full_queue_refuses_events_but_for_alarming_ones(bench, lines):
    bench = bench(capacity=10)
    bench.dynamo.ways = [never] * 2
    bench.audit.record(make_event(outcome="ok"))
    bench.audit.record(make_event(outcome="ok"))
    await asyncio.sleep(0)
    for _ in range(12):
        bench.audit.record(make_event())
    assert (bench.meter.waiting, bench.meter.dropped) == (9, ["full"] * 3)
    bench.audit.record(make_event(kind=EventKind.THROTTLE, outcome="alarm", alarming=True))
    assert (bench.meter.waiting, bench.meter.dropped) == (10, ["full"] * 4)
    await bench.audit.drain(0.01)


async def test_log_flooding_half_of_the_queue_is_closed_to_what_strangers_can_cause(bench, lines):
    bench = bench(capacity=10)
    bench.dynamo.ways = [never] * 2
    for user_id in (USER, None):
        bench.audit.record(make_event(outcome="unknown", user_id=user_id))
    await asyncio.sleep(0)
    for user_id in (USER, None) * 4:
        bench.audit.record(make_event(outcome="unknown", user_id=user_id))
    assert (bench.meter.waiting, bench.meter.dropped) == (5, ["full"] * 3)
    bench.audit.record(make_event(kind=EventKind.LOGOUT, outcome="ended"))
    assert (bench.meter.waiting, bench.meter.dropped) == (6, ["full"] * 3)
    await bench.audit.drain(0.01)


async def test_a_crash_in_the_writer_costs_one_event_and_not_the_others(bench, lines):
    bench = bench(writers=1)
    bench.dynamo.ways = [ZeroDivisionError("a mistake")]
    for outcome in ("broken", "after"):
        bench.audit.record(make_event(kind=EventKind.SESSION_END, outcome=outcome))
    await settle(bench)
    assert (bench.outcomes, bench.meter.dropped, bench.meter.waiting) == (["after"], ["error"], 0)
    assert isinstance(lines[0]["exc_info"], ZeroDivisionError)


async def test_at_most_so_many_writes_are_under_way(bench):
    bench, under_way, most = bench(writers=3), 0, 0

    async def count():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    bench.dynamo.ways = [count] * 20
    for _ in range(20):
        bench.audit.record(make_event())
    await settle(bench)
    assert (most, len(bench.dynamo.items)) == (3, 20)


async def test_a_write_whose_answer_was_lost_is_not_a_second_event(bench):
    bench = bench()
    answers = []

    async def write(put):
        item = {name: value for name, value in put.item.items() if value is not None}
        answers.append(item)
        if len(answers) == 1:
            raise AWAY
        raise ConditionFailed(answers[0])

    bench.dynamo.write = write
    bench.audit.record(make_event())
    await settle(bench)
    assert (len(answers), bench.meter.dropped) == (2, [])


async def test_history_rewriting_a_key_that_is_taken_is_left_as_it_is(bench, lines):
    bench = bench()
    bench.dynamo.ways = [ConditionFailed({"pk": "u#", "oc": "another"})] * 2
    bench.audit.record(make_event())
    await settle(bench)
    assert bench.meter.dropped == ["key_taken"]
    assert not await bench.audit.keep(make_event())
    assert bench.meter.dropped == ["key_taken"] * 2


async def test_draining_writes_everything_that_waits(bench):
    bench = bench()
    for _ in range(50):
        bench.audit.record(make_event())
    assert await bench.audit.drain(5) == 0
    assert (len(bench.dynamo.items), bench.meter.waiting) == (50, 0)


async def test_draining_ends_in_time_and_counts_what_is_lost(bench, lines):
    bench = bench()
    bench.dynamo.ways = [never] * 2
    for _ in range(5):
        bench.audit.record(make_event())
    await asyncio.sleep(0)
    assert await bench.audit.drain(0.01) == 5
    assert bench.meter.dropped == ["stopped"] * 5
    assert (len(lines), bench.meter.waiting) == (5, 0)


async def test_after_draining_an_event_is_said_to_be_lost(bench, lines):
    bench = bench()
    await bench.audit.drain(1)
    bench.audit.record(make_event())
    assert (bench.meter.dropped, bench.dynamo.tries) == (["stopped"], 0)


def test_without_a_loop_events_wait_for_the_drain(bench):
    bench = bench()
    bench.audit.record(make_event())
    assert asyncio.run(bench.audit.drain(5)) == 0
    assert bench.outcomes == ["ok"]


async def test_keeping_returns_when_the_event_is_written(bench):
    bench = bench()
    assert await bench.audit.keep(make_event(kind=EventKind.USER_DISABLE))
    assert len(bench.dynamo.items) == 2


async def test_keeping_waits_for_a_slow_store_no_longer_than_agreed_and_queues(bench):
    bench = bench(keep_seconds=0.01)
    bench.dynamo.ways = [never]
    assert not await bench.audit.keep(make_event())
    await settle(bench)
    assert (bench.outcomes, bench.meter.dropped) == (["ok"], [])


async def test_keeping_while_the_store_is_away_queues(bench):
    bench = bench()
    bench.dynamo.ways = [AWAY]
    assert not await bench.audit.keep(make_event())
    await settle(bench)
    assert bench.outcomes == ["ok"]


async def test_a_client_that_hangs_up_does_not_take_the_event_with_it(bench):
    bench = bench()
    bench.dynamo.ways = [never]
    keeping = asyncio.create_task(bench.audit.keep(make_event()))
    await asyncio.sleep(0.01)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await settle(bench)
    assert bench.outcomes == ["ok"]


@given(st.lists(st.sampled_from(["fine", "away", "crash"]), max_size=60))
def test_each_event_is_written_once_or_counted_as_dropped_once(ways):
    bench = make_bench(capacity=20)
    dynamo, meter = bench.dynamo, bench.meter
    dynamo.ways = [{"fine": None, "away": AWAY, "crash": ZeroDivisionError()}[way] for way in ways]

    async def run():
        for index in range(30):
            bench.audit.record(make_event(kind=EventKind.SESSION_END, outcome=f"{index:02}"))
            if index % 7 == 0:
                await asyncio.sleep(0)
        return await bench.audit.drain(5)

    with structlog.testing.capture_logs() as captured:
        asyncio.run(run())
    lost = {line["outcome"] for line in captured}
    assert len(captured) == len(lost) == len(meter.dropped)
    assert sorted(lost | set(bench.outcomes)) == [f"{index:02}" for index in range(30)]
    assert len(dynamo.items) + len(lost) == 30
    assert meter.waiting == 0
