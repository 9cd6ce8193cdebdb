"""The key ring on a table in memory: shared readings, bounds of age, rotation, two processes, a store that is away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from service.errors import Unavailable
from service.tokens import keyring
from service.tokens.keyring import REFRESH_SECONDS, STALE_SECONDS
from service.tokens.model import MAX_PUBLISHED, Algorithm
from tests.unit.tokens.conftest import DAY_MS, HOUR_MS, LIFE, NOW_MS, make_wrapper

HOUR_SECONDS = 3600


@dataclass
class TwoFacedClock:
    """Wall time that somebody may set, and monotonic time that nobody may."""

    ms: int = NOW_MS
    seconds: float = 0.0

    def now_ms(self):
        return self.ms

    def monotonic_seconds(self):
        return self.seconds

    async def sleep(self, seconds):
        await asyncio.sleep(0)

    def advance(self, *, seconds):
        self.ms += round(seconds * 1000)
        self.seconds += seconds


@pytest.fixture
def clock():
    return TwoFacedClock()


@pytest.fixture(autouse=True)
def _no_real_waiting(monkeypatch):
    monkeypatch.setattr(keyring, "_VERIFY_WAIT_SECONDS", 0.01)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_first_caller_makes_the_first_key_and_signs_with_it_at_once(make_ring, table):
    signer = await make_ring().signer()
    (record,) = table.records.values()
    assert (record.slot, record.begins_ms, record.kid) == (1, NOW_MS, signer.kid)
    assert set((await make_ring().jwks()).keys) == {signer.kid}


async def test_a_hundred_callers_at_once_share_one_reading(make_ring, table):
    ring = make_ring()
    signers = await asyncio.gather(*(ring.signer() for _ in range(50)), *(ring.jwks() for _ in range(50)))
    assert len({signer.kid for signer in signers[:50]}) == 1
    # One reading finds nothing and makes a key, and looks again.
    assert (table.reads, table.adds) == (2, 1)


async def test_while_the_keys_are_known_nothing_is_read(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    reads = table.reads
    clock.advance(seconds=REFRESH_SECONDS)
    for _ in range(20):
        await ring.signer()
        await ring.jwks()
    await settle()
    assert table.reads == reads


async def test_after_half_a_minute_they_are_read_again_beside_the_request(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    clock.advance(seconds=REFRESH_SECONDS + 1)
    table.gate, reads = asyncio.Event(), table.reads
    for _ in range(5):
        await ring.signer()
    await settle()
    assert table.reads == reads + 1
    table.gate.set()
    await ring.aclose()


async def test_a_reading_that_fails_beside_a_request_disturbs_nobody_and_is_tried_again(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    clock.advance(seconds=REFRESH_SECONDS + 1)
    table.away = True
    await ring.signer()
    await settle()
    table.away, reads = False, table.reads
    await ring.signer()
    await settle()
    assert table.reads == reads + 1


async def test_signing_ends_two_minutes_after_the_last_reading(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    table.away = True
    clock.advance(seconds=STALE_SECONDS)
    assert await ring.signer()
    clock.advance(seconds=1)
    with pytest.raises(Unavailable):
        await ring.signer()


async def test_a_reading_is_as_old_as_its_beginning(make_ring, table, clock):
    ring = make_ring()
    read = table.all

    async def slowly():
        found = await read()
        clock.advance(seconds=20)
        return found

    await ring.signer()
    table.all = slowly
    await ring.refresh()
    table.away = True
    clock.advance(seconds=STALE_SECONDS - 20)
    assert await ring.signer()
    clock.advance(seconds=1)
    with pytest.raises(Unavailable):
        await ring.signer()


async def test_verifying_goes_on_for_an_hour_without_the_store(make_ring, table, clock):
    ring = make_ring()
    kid = (await ring.signer()).kid
    table.away = True
    clock.advance(seconds=HOUR_SECONDS)
    assert set((await ring.jwks()).keys) == {kid}
    clock.advance(seconds=1)
    with pytest.raises(Unavailable):
        await ring.jwks()


async def test_verifying_does_not_wait_long_for_a_store_that_hangs(make_ring, table, clock):
    ring = make_ring()
    kid = (await ring.signer()).kid
    clock.advance(seconds=STALE_SECONDS + 1)
    table.gate = asyncio.Event()
    assert set((await ring.jwks()).keys) == {kid}
    table.gate.set()


async def test_a_process_that_never_read_the_keys_neither_signs_nor_verifies(make_ring, table):
    table.away = True
    for use in (make_ring().signer, make_ring().jwks):
        with pytest.raises(Unavailable):
            await use()


async def test_a_store_that_comes_back_is_used_again_at_once(make_ring, table):
    ring = make_ring()
    table.away = True
    with pytest.raises(Unavailable):
        await ring.signer()
    table.away = False
    assert await ring.signer()


async def test_a_key_marked_bad_stops_signing_and_verifying_within_the_bound(make_ring, table, clock):
    ring = make_ring()
    bad = (await ring.signer()).kid
    table.mark_bad(bad)
    clock.advance(seconds=STALE_SECONDS + 1)
    assert (await ring.signer()).kid != bad
    assert bad not in (await ring.jwks()).keys


async def test_a_key_marked_bad_is_gone_at_the_second_request_after_half_a_minute(make_ring, table, clock):
    ring = make_ring()
    bad = (await ring.signer()).kid
    table.mark_bad(bad)
    clock.advance(seconds=REFRESH_SECONDS + 1)
    await ring.signer()
    await ring.aclose()
    assert (await ring.signer()).kid != bad


async def test_setting_the_clock_back_keeps_no_old_key_alive(make_ring, table, clock):
    ring = make_ring()
    bad = (await ring.signer()).kid
    table.mark_bad(bad)
    clock.seconds += STALE_SECONDS + 1
    clock.ms -= HOUR_MS
    signer = await ring.signer()
    assert signer.kid != bad
    assert bad not in (await ring.jwks()).keys


async def test_a_key_follows_another_published_a_day_ahead_and_overlapping(make_ring, table, clock):
    ring = make_ring()
    old = (await ring.signer()).kid
    clock.advance(seconds=29 * DAY_MS / 1000)
    assert (await ring.signer()).kid == old
    new = next(record.kid for record in table.records.values() if record.slot == 2)
    assert set((await ring.jwks()).keys) == {old, new}
    clock.advance(seconds=DAY_MS / 1000)
    assert (await ring.signer()).kid == new
    assert set((await ring.jwks()).keys) == {old, new}
    clock.advance(seconds=LIFE.overlap_ms / 1000)
    assert set((await ring.jwks()).keys) == {new}


async def test_two_processes_on_an_empty_table_make_one_key(make_ring, table):
    signers = await asyncio.gather(*(make_ring(wrapper=make_wrapper(seed=str(n))).signer() for n in range(5)))
    assert len({signer.kid for signer in signers}) == len(table.records) == 1


async def test_a_pending_key_signs_on_time_though_it_was_read_before(make_ring, clock):
    ring = make_ring()
    await ring.signer()
    made = await ring.rotate(begins_ms=NOW_MS + 10_000)
    assert (await ring.signer()).kid != made.kid
    clock.advance(seconds=10)
    assert (await ring.signer()).kid == made.kid


async def test_rotating_now_makes_a_key_that_signs_at_once_and_leaves_the_old_one_published(make_ring):
    ring = make_ring()
    old = (await ring.signer()).kid
    made = await ring.rotate(begins_ms=NOW_MS)
    assert (made.slot, (await ring.signer()).kid) == (2, made.kid)
    assert set((await ring.jwks()).keys) == {old, made.kid}


async def test_of_two_that_rotate_at_once_one_is_told_that_it_did(make_ring, table):
    rings = [make_ring(wrapper=make_wrapper(seed=str(n))) for n in range(2)]
    for ring in rings:
        await ring.signer()
    made = await asyncio.gather(*(ring.rotate(begins_ms=NOW_MS) for ring in rings))
    assert sorted(record is None for record in made) == [False, True]
    assert len(table.records) == 2


async def test_more_keys_than_verifiers_take_are_not_made(make_ring, table):
    ring = make_ring(algorithm=Algorithm.EDDSA)
    for _ in range(MAX_PUBLISHED - 2):
        await ring.rotate(begins_ms=NOW_MS)
    with pytest.raises(Unavailable) as refusal:
        await ring.rotate(begins_ms=NOW_MS)
    assert refusal.value.retry_after_seconds == HOUR_SECONDS
    assert await ring.signer()


async def test_a_process_with_other_key_encryption_keys_makes_no_keys_for_the_others(make_ring, table):
    kid = (await make_ring().signer()).kid
    stranger = make_ring(wrapper=make_wrapper({9: b"9" * 32}, active_kid=9))
    with pytest.raises(Unavailable):
        await stranger.signer()
    assert set((await stranger.jwks()).keys) == {kid}
    assert len(table.records) == 1


async def test_not_even_when_a_key_is_due_and_it_says_so(make_ring, table, clock, caplog):
    kid = (await make_ring().signer()).kid
    clock.advance(seconds=29 * DAY_MS / 1000)
    stranger = make_ring(wrapper=make_wrapper({9: b"9" * 32}, active_kid=9))
    assert set((await stranger.jwks()).keys) == {kid}
    assert len(table.records) == 1
    assert [(record.message, record.kids) for record in caplog.records] == [("signing keys do not open", [kid])]


async def test_a_process_that_cannot_open_the_next_key_signs_with_the_one_before(make_ring, table, clock):
    ring = make_ring()
    old = (await ring.signer()).kid
    stranger = make_ring(wrapper=make_wrapper({1: b"k" * 32, 9: b"9" * 32}, active_kid=9))
    new = await stranger.rotate(begins_ms=NOW_MS)
    await ring.refresh()
    assert (await ring.signer()).kid == old
    assert (await stranger.signer()).kid == new.kid
    assert set((await ring.jwks()).keys) == {old, new.kid}


async def test_an_unknown_kid_makes_the_keys_be_read_again_once_in_a_while(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    other = make_ring(wrapper=make_wrapper(seed="other"))
    made = await other.rotate(begins_ms=NOW_MS)
    reads = table.reads
    assert made.kid not in (await ring.jwks_with(made.kid)).keys
    assert table.reads == reads
    clock.advance(seconds=5)
    assert made.kid in (await ring.jwks_with(made.kid)).keys
    assert table.reads == reads + 1


async def test_a_flood_of_unknown_kids_costs_one_reading(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    clock.advance(seconds=5)
    reads = table.reads
    await asyncio.gather(*(ring.jwks_with(f"unknown-{n}") for n in range(50)))
    for n in range(50):
        await ring.jwks_with(f"unknown again {n}")
    assert table.reads == reads + 1


async def test_a_known_kid_reads_nothing(make_ring, table, clock):
    ring = make_ring()
    kid = (await ring.signer()).kid
    clock.advance(seconds=20)
    reads = table.reads
    assert kid in (await ring.jwks_with(kid)).keys
    assert table.reads == reads


async def test_a_caller_that_goes_away_does_not_end_the_reading_of_the_others(make_ring, table):
    ring = make_ring()
    table.gate = asyncio.Event()
    first, second = (asyncio.create_task(ring.signer()) for _ in range(2))
    await settle()
    first.cancel()
    table.gate.set()
    assert await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_closing_waits_for_a_reading_that_is_under_way(make_ring, table, clock):
    ring = make_ring()
    await ring.signer()
    clock.advance(seconds=REFRESH_SECONDS + 1)
    table.gate = asyncio.Event()
    await ring.signer()
    closing = asyncio.create_task(ring.aclose())
    await settle()
    assert not closing.done()
    table.gate.set()
    await closing


async def test_closing_a_ring_that_never_read_does_nothing(make_ring, table):
    await make_ring().aclose()
    assert table.reads == 0
