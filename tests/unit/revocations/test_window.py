from __future__ import annotations

import asyncio

import pytest

from service.revocations.model import BUCKET_SECONDS, SHARDS
from service.revocations.window import Window
from service.store.errors import StoreUnavailable
from tests.unit.revocations.conftest import LIFE, NOW_MS, MemoryFeed, placed, session_ended, user_ended


@pytest.fixture
def window(feed_table, clock):
    return Window(repo=feed_table, life=LIFE, clock=clock, cache_seconds=1)


async def test_the_first_reading_brings_the_whole_window_and_no_more(window, feed_table):
    young, old = user_ended(1, at_ms=NOW_MS - 354_000), session_ended(2, at_ms=NOW_MS - 354_001)
    feed_table.add(old, young)
    assert (await window.read()).entries == (placed(young),)


async def test_a_thousand_who_ask_within_the_caches_time_cost_one_reading(window, feed_table, clock):
    await asyncio.gather(*(window.read() for _ in range(1000)))
    clock.advance(seconds=0.999)
    await window.read()
    assert len(feed_table.asked) == 2 * SHARDS


async def test_after_the_caches_time_it_is_read_again(window, feed_table, clock):
    await window.read()
    feed_table.add(session_ended(1))
    clock.advance(seconds=1)
    assert (await window.read()).entries == (placed(session_ended(1)),)


async def test_a_reading_asks_for_what_came_since_and_may_have_been_late(window, feed_table, clock):
    clock.advance(seconds=300)
    await window.read()
    feed_table.asked.clear()
    clock.advance(seconds=5)
    await window.read()
    assert {(bucket, after) for bucket, _, after in feed_table.asked} == {
        (NOW_MS // (BUCKET_SECONDS * 1000), f"{NOW_MS + 286_000}")
    }
    assert len(feed_table.asked) == SHARDS


async def test_no_entry_is_lost_whose_writer_was_slow_in_clock_and_in_flight(window, feed_table, clock):
    """Stamped by a clock 2 s behind, 10 s under way, and read by a clock 2 s ahead: it appears 14 s behind."""
    await window.read()
    late = session_ended(1, at_ms=NOW_MS - 14_000)
    feed_table.add(late)
    clock.advance(seconds=1)
    assert (await window.read()).entries == (placed(late),)


async def test_no_entry_is_lost_whose_writers_clock_is_ahead_in_the_next_bucket(window, feed_table, clock):
    clock.advance(seconds=BUCKET_SECONDS - (NOW_MS // 1000) % BUCKET_SECONDS - 3)
    await window.read()
    clock.advance(seconds=1)
    ahead = session_ended(1, at_ms=clock.ms + 2_000)
    feed_table.add(ahead)
    assert (await window.read()).entries == (placed(ahead),)


async def test_no_entry_is_lost_while_buckets_change(window, feed_table, clock):
    for number in range(130):
        clock.advance(seconds=15)
        feed_table.add(session_ended(number, at_ms=clock.ms))
        held = await window.read()
        assert [where[14:] for where, _ in held.entries] == [
            session_ended(each).session_id.hex() for each in range(max(0, number - 23), number + 1)
        ]


async def test_after_a_pause_longer_than_the_window_it_begins_anew(window, feed_table, clock):
    await window.read()
    feed_table.add(session_ended(1, at_ms=NOW_MS + 1))
    clock.advance(seconds=5000)
    feed_table.add(session_ended(2, at_ms=clock.ms))
    feed_table.asked.clear()
    assert (await window.read()).entries == (placed(session_ended(2, at_ms=clock.ms)),)
    assert len(feed_table.asked) <= 2 * SHARDS


async def test_a_partition_of_many_pages_is_read_to_its_end(clock):
    table = MemoryFeed(page_size=3)
    table.add(*(session_ended(number, at_ms=NOW_MS - number) for number in range(50)))
    window = Window(repo=table, life=LIFE, clock=clock, cache_seconds=1)
    assert len((await window.read()).entries) == 50


async def test_after_a_flood_a_reading_ends_and_says_what_it_left_out(clock):
    table = MemoryFeed(page_size=10)
    table.add(*(session_ended(number, at_ms=NOW_MS - number) for number in range(1000)))
    window = Window(repo=table, life=LIFE, clock=clock, cache_seconds=1, max_entries=20)
    held = await window.read()
    assert [int(where[:13]) for where, _ in held.entries] == list(range(NOW_MS - 19, NOW_MS + 1))
    assert held.forgotten_ms >= NOW_MS - 20
    assert len(table.asked) <= 2 * SHARDS * 3


async def test_what_cannot_be_read_is_an_error_and_never_an_old_reading(window, feed_table, clock):
    await window.read()
    feed_table.away = True
    clock.advance(seconds=1)
    with pytest.raises(StoreUnavailable):
        await window.read()
    feed_table.away = False
    feed_table.add(session_ended(1))
    assert (await window.read()).entries == (placed(session_ended(1)),)


async def test_who_stops_waiting_stops_nobody_elses_reading(window, feed_table):
    feed_table.gate = asyncio.Event()
    first, second = asyncio.create_task(window.read()), asyncio.create_task(window.read())
    await feed_table.reached.wait()
    first.cancel()
    feed_table.gate.set()
    assert (await second).entries == ()
    await window.aclose()


async def test_the_age_of_a_reading_counts_from_before_it(window, feed_table, clock):
    feed_table.gate = asyncio.Event()
    reading = asyncio.create_task(window.read())
    await feed_table.reached.wait()
    clock.advance(seconds=2)
    feed_table.gate.set()
    await reading
    feed_table.add(session_ended(1))
    assert (await window.read()).entries == (placed(session_ended(1)),)
