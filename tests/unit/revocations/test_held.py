from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.revocations.held import Collected, empty, merge
from service.revocations.items import place, place_of
from tests.unit.revocations.conftest import NOW_MS, placed, session_ended

OLDEST_MS = NOW_MS - 404_000


def collected(*entries, forgotten_ms=None):
    return Collected(entries=tuple(map(placed, entries)), forgotten_ms=forgotten_ms)


def merged(held, brought, *, floor_ms=NOW_MS - 14_000, oldest_ms=OLDEST_MS, limit=100):
    return merge(held, brought, floor_ms=floor_ms, oldest_ms=oldest_ms, read_ms=NOW_MS, limit=limit)


def start(*entries, **changes):
    return merged(empty(floor=place_of(OLDEST_MS), read_ms=NOW_MS), collected(*entries), **changes)


def test_what_is_read_is_held_in_order():
    entries = [session_ended(number, at_ms=NOW_MS - number) for number in range(5)]
    assert start(*entries).entries == tuple(map(placed, reversed(entries)))


def test_what_was_read_before_is_held_once():
    held = start(session_ended(1), session_ended(2))
    again = merged(held, collected(session_ended(2), session_ended(3)))
    assert [int(where[-2:], 16) for where, _ in again.entries] == [1, 2, 3]


def test_an_entry_that_appears_late_is_put_where_its_time_belongs():
    held = start(session_ended(1, at_ms=NOW_MS - 9_000), session_ended(3))
    late = session_ended(2, at_ms=NOW_MS - 5_000)
    assert merged(held, collected(late)).entries == (held.entries[0], placed(late), held.entries[1])


def test_what_concerns_no_living_token_is_dropped():
    old, young = session_ended(1, at_ms=OLDEST_MS - 1), session_ended(2, at_ms=OLDEST_MS)
    assert start(old, young).entries == (placed(young),)


def test_beyond_the_limit_the_oldest_are_left_out_and_said_to_be():
    held = start(*(session_ended(number, at_ms=NOW_MS - 1000 * number) for number in range(10)), limit=4)
    assert [int(where[-2:], 16) for where, _ in held.entries] == [3, 2, 1, 0]
    assert held.forgotten_ms == NOW_MS - 4000


def test_what_was_left_out_is_said_until_it_matters_no_more():
    held = start(*(session_ended(number, at_ms=NOW_MS - 1000 * number) for number in range(5)), limit=4)
    assert merged(held, collected()).forgotten_ms == NOW_MS - 4000
    assert merged(held, collected(), oldest_ms=NOW_MS - 3999).forgotten_ms is None


def test_what_a_reading_could_not_read_counts_as_left_out():
    assert merged(start(), collected(forgotten_ms=NOW_MS - 7)).forgotten_ms == NOW_MS - 7


def test_the_floor_never_sinks_when_a_clock_is_set_back():
    held = start(floor_ms=NOW_MS)
    assert merged(held, collected(), floor_ms=NOW_MS - 60_000).floor == place_of(NOW_MS)


@given(st.lists(st.integers(0, 400_000), max_size=30), st.lists(st.integers(0, 60), max_size=8), st.integers(1, 40))
def test_however_it_was_read_in_pieces_the_newest_within_the_window_are_held(ages_ms, cuts, limit):
    """Read in pieces, each from the floor of the one before: what is held is what one reading would hold."""
    entries = [session_ended(number, at_ms=NOW_MS - age) for number, age in enumerate(ages_ms)]
    held, written = empty(floor=place_of(OLDEST_MS), read_ms=NOW_MS), 0
    for cut in [*sorted(cuts), len(entries)]:
        written = max(written, min(cut, len(entries)))
        known = [one for one in entries[:written] if place(one) > held.floor]
        # Whatever is written later may be as old as any: the floor stays where it is complete.
        held = merged(held, collected(*known), floor_ms=OLDEST_MS, limit=limit)
    assert held.entries == tuple(map(placed, sorted(entries, key=place)[-limit:]))
