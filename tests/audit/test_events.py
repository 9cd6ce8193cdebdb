from __future__ import annotations

import asyncio
import random

import pytest

from service.audit import items
from service.audit.event import Agent, EventKind
from service.audit.repo import puts
from service.kernel.ids import SessionId, UserId
from service.store.errors import ConditionFailed
from service.telemetry.request_facts import RequestFacts, facts_from
from tests.audit.conftest import RETENTION_SECONDS
from tests.support.clock import EPOCH_MS
from tests.unit.audit.conftest import OPERATOR, USER, make_event
from tests.unit.audit.test_items import DAY, make_entry

LONGEST = RequestFacts(address="x" * 500, user_agent="\U0001f511" * 500, request_id="x" * 500)


async def record(audit, count, clock, *, steps_ms=(0, 1, 5), **changes):
    """Events with the numbers from 0 as their outcomes, some of them in one millisecond."""
    chance = random.Random(4711)
    for index in range(count):
        clock.ms += chance.choice(steps_ms)
        audit.record(make_event(kind=EventKind.SESSION_END, outcome=f"{index:04}", **changes))
    while audit._tasks:
        await asyncio.wait(set(audit._tasks))


async def read_all(repo, clock, *, limit, user_id=USER):
    found, start = [], None
    while True:
        page = await repo.page(user_id, limit=limit, start=start, now_ms=clock.ms)
        assert len(page.events) <= limit
        found += page.events
        start = page.next_start
        if start is None:
            return found


async def feed_of(repo, day, *, now_ms, of_nobody=False):
    return [event async for event in repo.feed(day, now_ms=now_ms, of_nobody=of_nobody)]


@pytest.mark.parametrize("limit", [1, 7, 60, 100])
async def test_paging_gives_every_event_once_the_newest_first(audit, repo, clock, limit):
    await record(audit, 60, clock)
    await record(audit, 10, clock, user_id=UserId(b"v" * 16))
    found = await read_all(repo, clock, limit=limit)
    assert [event.outcome for event in found] == [f"{index:04}" for index in reversed(range(60))]
    assert len({event.event_id for event in found}) == 60


async def test_events_that_come_while_paging_disturb_no_page(audit, repo, clock):
    await record(audit, 20, clock)
    first = await repo.page(USER, limit=10, start=None, now_ms=clock.ms)
    clock.ms += 1
    await record(audit, 5, clock)
    rest = await repo.page(USER, limit=100, start=first.next_start, now_ms=clock.ms)
    outcomes = [event.outcome for event in (*first.events, *rest.events)]
    assert outcomes == [f"{index:04}" for index in reversed(range(20))]


async def test_cost_an_event_is_one_write_unit_with_the_longest_fields(audit, units):
    with facts_from(lambda: LONGEST):
        kept = await audit.keep(
            make_event(kind=EventKind.SESSION_END, outcome="x" * 200, session_id=SessionId(b"s" * 16))
        )
    assert kept
    assert [(call.operation, call.table, call.units) for call in units.calls] == [("put_item", "audit", 1)]


async def test_cost_an_alarming_event_is_two_write_units(audit, units):
    with facts_from(lambda: LONGEST):
        assert await audit.keep(make_event(alarming=True, actor=OPERATOR, session_id=SessionId(b"s" * 16)))
    assert units.wru == 2


async def test_cost_a_refresh_writes_nothing(audit, units):
    assert await audit.keep(make_event(kind=EventKind.REFRESH, outcome="rotated"))
    assert units.calls == []


async def test_cost_a_page_of_fifty_is_a_few_read_units(audit, repo, units, clock):
    with facts_from(lambda: LONGEST):
        await record(audit, 50, clock)
    units.clear()
    await repo.page(USER, limit=50, start=None, now_ms=clock.ms)
    # 50 items of at most 1 KB, summed up and rounded to 4 KB.
    assert 1 <= units.rru <= 13


async def test_history_rewriting_an_event_is_never_written_over(repo, base):
    (first,) = puts(make_entry(make_event(outcome="ok")), retention_seconds=60)
    (second,) = puts(make_entry(make_event(kind=EventKind.LOGOUT, outcome="ended")), retention_seconds=60)
    assert await repo.append(first)
    assert not await repo.append(second)
    with pytest.raises(ConditionFailed):
        await base.dynamo.write(second)
    (found,) = (await repo.page(USER, limit=10, start=None, now_ms=EPOCH_MS)).events
    assert (found.kind, found.outcome) == ("sign_in", "ok")


async def test_writing_the_same_event_again_changes_nothing_and_is_no_error(repo):
    (put,) = puts(make_entry(), retention_seconds=60)
    assert await repo.append(put)
    assert await repo.append(put)
    assert len((await repo.page(USER, limit=10, start=None, now_ms=EPOCH_MS)).events) == 1


async def test_events_past_their_retention_are_absent_before_they_are_collected(audit, repo, clock):
    await record(audit, 10, clock, steps_ms=(0,), actor=Agent.OPERATOR)
    assert len(await feed_of(repo, DAY, now_ms=clock.ms)) == 10
    clock.advance(seconds=RETENTION_SECONDS / 2)
    await record(audit, 3, clock, steps_ms=(0,))
    assert len(await read_all(repo, clock, limit=4)) == 13
    clock.ms = EPOCH_MS + RETENTION_SECONDS * 1000
    assert len(await read_all(repo, clock, limit=4)) == 3
    assert await feed_of(repo, DAY, now_ms=clock.ms) == []


async def test_the_feed_of_a_day_is_merged_by_time_from_all_its_shards(audit, repo, clock, base):
    await record(audit, 120, clock, actor=Agent.OPERATOR)
    await record(audit, 10, clock)
    clock.advance(seconds=86_400)
    await record(audit, 5, clock, actor=Agent.OPERATOR)
    feed = await feed_of(repo, DAY, now_ms=clock.ms - 86_400_000)
    assert [event.outcome for event in feed] == [f"{index:04}" for index in range(120)]
    assert {event.actor for event in feed} == {"operator"}
    shards = [items.feed_partition(DAY, shard) for shard in range(items.FEED_SHARDS)]
    full = [shard for shard in shards if [event async for event in repo._events_of(shard, now_ms=EPOCH_MS)]]
    assert len(full) >= items.FEED_SHARDS - 2


async def test_what_happened_to_no_account_is_listed_by_itself(audit, repo, clock):
    for index in range(20):
        audit.record(make_event(kind=EventKind.SIGN_IN, outcome="unknown", user_id=None))
        audit.record(make_event(kind=EventKind.KEY_ROTATE, outcome=str(index), user_id=None))
        clock.ms += 1
    while audit._tasks:
        await asyncio.wait(set(audit._tasks))
    assert {event.kind for event in await feed_of(repo, DAY, now_ms=clock.ms)} == {"key_rotate"}
    strangers = await feed_of(repo, DAY, now_ms=clock.ms, of_nobody=True)
    assert [event.time_ms - EPOCH_MS for event in strangers] == list(range(20))
    assert {(event.kind, event.outcome, event.user_id) for event in strangers} == {("sign_in", "unknown", None)}


async def test_a_shard_of_many_pages_is_read_to_its_end(repo, monkeypatch):
    monkeypatch.setattr("service.audit.repo._FEED_PAGE", 3)
    event = make_event(kind=EventKind.KEY_ROTATE, user_id=None)
    for index in range(10):
        entry = make_entry(event, event_id=f"{EPOCH_MS + index}#0000#0123456789abcdef")
        for put in puts(entry, retention_seconds=60):
            await repo.append(put)
    assert len(await feed_of(repo, DAY, now_ms=EPOCH_MS)) == 10


async def test_nobodys_events_are_an_empty_page(repo):
    page = await repo.page(UserId(b"n" * 16), limit=10, start=None, now_ms=EPOCH_MS)
    assert (page.events, page.next_start) == ((), None)
