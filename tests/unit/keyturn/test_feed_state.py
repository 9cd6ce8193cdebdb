from __future__ import annotations

from dataclasses import dataclass

import pytest

from keyturn.feed_state import FeedBounds, Progress, Sight
from keyturn.key_state import Moment

BOUNDS = FeedBounds(poll_seconds=5, max_stale_seconds=30)


def at(seconds, *, wall=None):
    return Moment(wall_ms=round((seconds if wall is None else wall) * 1000), monotonic_seconds=seconds)


@pytest.mark.parametrize(("poll", "stale"), [(0, 30), (-1, 30), (16, 30), (5, 9.9)])
def test_bounds_that_contradict_each_other_are_refused(poll, stale):
    with pytest.raises(ValueError, match="poll_seconds"):
        FeedBounds(poll_seconds=poll, max_stale_seconds=stale)


def test_polls_are_spread_below_their_interval_and_never_above_it():
    assert BOUNDS.pause_seconds(failures=0, chance=0) == 5
    assert BOUNDS.pause_seconds(failures=0, chance=1) == pytest.approx(4)


def test_failures_make_pauses_longer_up_to_a_bound():
    assert [BOUNDS.pause_seconds(failures=failures, chance=0) for failures in range(1, 7)] == [5, 10, 20, 30, 30, 30]
    assert BOUNDS.pause_seconds(failures=10_000, chance=0) == 30
    slow = FeedBounds(poll_seconds=60, max_stale_seconds=600)
    assert slow.pause_seconds(failures=9, chance=0) == 60


def test_nothing_is_clear_before_anything_was_heard_or_after_too_long():
    assert not Sight().is_clear(at(0), bounds=BOUNDS)
    sight = Sight(complete_since=at(100))
    assert sight.is_clear(at(129.9), bounds=BOUNDS)
    assert not sight.is_clear(at(130), bounds=BOUNDS)


@pytest.mark.parametrize("now", [at(101, wall=130), at(130, wall=101), at(130, wall=0)])
def test_neither_a_machine_that_slept_nor_a_clock_set_back_keeps_old_word_young(now):
    assert not Sight(complete_since=at(100)).is_clear(now, bounds=BOUNDS)


def test_a_failure_makes_nothing_younger_and_nobody_waits_for_the_next():
    sight = Sight(complete_since=at(100)).after_failure(ended=at(104))
    assert (sight.complete_since, sight.failures) == (at(100), 1)
    assert not sight.is_worth_waiting()
    assert Sight().is_worth_waiting()


def test_a_poll_that_is_overdue_is_asked_for_by_a_request():
    sight = Sight(complete_since=at(100), tried=at(100))
    assert not sight.is_due(at(106), bounds=BOUNDS)
    assert sight.is_due(at(106.1), bounds=BOUNDS)
    assert not sight.may_try(at(104.9), bounds=BOUNDS)
    assert sight.may_try(at(105), bounds=BOUNDS)


def test_a_statement_may_be_as_old_as_what_is_clear_and_a_clock_behind_by_half_a_minute():
    assert BOUNDS.earliest(at(1000)) == 940


@dataclass(frozen=True)
class Said:
    following: str
    more: bool


def test_when_the_last_page_has_come_everything_is_known_until_the_first_was_asked_for():
    """What was ended while pages were read may stand before those that were read."""
    first = Progress().after_page(Said("two", more=True), etag="e1", now=at(100))
    assert (first.cursor, first.complete_since, first.etag) == ("two", None, "")
    last = first.after_page(Said("on", more=False), etag="e2", now=at(104))
    assert (last.cursor, last.complete_since, last.etag, last.began) == ("on", at(100), "e2", None)
    assert last.after_page(Said("on", more=False), etag="e3", now=at(109)).complete_since == at(109)
    assert last.unchanged(at(109)).complete_since == at(109)


def test_word_without_a_signature_is_believed_for_half_of_the_longest_time():
    assert Progress().needs_signature(at(0), bounds=BOUNDS)
    progress = Progress(cursor="c", etag="e", signed=at(100)).unchanged(at(110))
    assert not progress.needs_signature(at(114.9), bounds=BOUNDS)
    assert progress.needs_signature(at(115), bounds=BOUNDS)
