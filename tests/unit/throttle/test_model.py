from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.throttle.model import EMPTY, Delay, Limit, Limited, Open, Tally, decide, estimate, level_room, rolled

HOUR = 3_600_000
START = 1_800_000_000_000 - 1_800_000_000_000 % HOUR
HARD = Limit(name="hard", failures=10, window_seconds=3600, when_away=1)
SOFT = replace(HARD, name="soft", delay=Delay(first_seconds=30, longest_seconds=900))


def tally(current=0, previous=0, *, start=START, last=START):
    return Tally(start_ms=start, current=current, previous=previous, last_ms=last)


def failed(seen, now, limit):
    """The tally after one more failure, as the table would keep it."""
    here = rolled(seen, now, limit)
    return replace(here, current=here.current + 1, last_ms=now)


def test_no_failures_leave_the_whole_limit():
    assert decide(EMPTY, START, HARD) == Open(room=10)


@pytest.mark.parametrize(
    ("gone", "expected"), [(0, 10), (HOUR // 4, 8), (HOUR // 2, 5), (HOUR - 1, 1)], ids=["0", "1/4", "1/2", "end"]
)
def test_the_previous_window_fades_and_is_rounded_up(gone, expected):
    assert estimate(tally(previous=10), START + gone, HARD) == expected


def test_the_room_is_what_the_previous_window_leaves():
    assert level_room(tally(current=3, previous=10), START + HOUR // 2, HARD) == 5
    assert decide(tally(current=3, previous=10), START + HOUR // 2, HARD) == Open(room=5)


def test_a_window_that_is_over_becomes_the_previous_one():
    assert rolled(tally(current=7, previous=3), START + HOUR, HARD) == tally(previous=7, start=START + HOUR)


def test_expired_windows_not_yet_deleted_by_ttl_are_ignored():
    assert decide(tally(current=99, previous=99), START + 2 * HOUR, HARD) == Open(room=10)


def test_a_window_opened_by_a_clock_that_is_ahead_is_the_current_one():
    ahead = tally(current=4, previous=6, start=START + HOUR)
    assert rolled(ahead, START + HOUR - 1, HARD) == ahead
    assert estimate(ahead, START + HOUR - 1, HARD) == 10


def test_a_window_far_in_the_future_locks_nobody_for_years():
    wrong = tally(current=50, start=START + 1000 * HOUR)
    assert isinstance(decide(wrong, START, HARD), Limited)
    assert isinstance(decide(wrong, START + HOUR - 1, HARD), Open)


def test_a_last_failure_in_the_future_makes_no_delay_longer():
    assert decide(tally(current=10, last=START + 50 * HOUR), START, SOFT) == Limited(until_ms=START + 30_000)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(10, 30), (11, 60), (12, 120), (13, 240), (14, 480), (15, 900), (99, 900)]
)
def test_the_delay_doubles_up_to_its_ceiling(failures, seconds):
    assert SOFT.delay.after_ms(failures - 10) == seconds * 1000


def test_over_the_limit_one_attempt_is_let_through_after_the_delay():
    full = tally(current=10, last=START + 1000)
    assert decide(full, START + 30_999, SOFT) == Limited(until_ms=START + 31_000)
    assert decide(full, START + 31_000, SOFT) == Open(room=11)


def test_the_delay_is_never_longer_than_the_hard_limit_would_be():
    nearly_over = tally(previous=11, start=START, last=START - 1)
    until = decide(nearly_over, START, HARD).until_ms
    assert decide(nearly_over, START, SOFT).until_ms <= until


@given(current=st.integers(0, 40), previous=st.integers(0, 40), gone=st.integers(0, HOUR - 1))
def test_retry_after_is_the_first_moment_at_which_an_attempt_passes(current, previous, gone):
    seen, now = tally(current, previous), START + gone
    decision = decide(seen, now, HARD)
    if isinstance(decision, Limited):
        assert decision.until_ms > now
        assert isinstance(decide(seen, decision.until_ms, HARD), Open)
        assert isinstance(decide(seen, decision.until_ms - 1, HARD), Limited)


@given(current=st.integers(0, 60), previous=st.integers(0, 60), gone=st.integers(0, HOUR - 1))
def test_nobody_is_locked_out_for_good(current, previous, gone):
    for limit in (HARD, SOFT):
        decision = decide(tally(current, previous), START + gone, limit)
        assert isinstance(decision, Open) or decision.until_ms <= START + gone + 2 * HOUR


@given(st.lists(st.integers(0, HOUR // 6), min_size=1, max_size=120))
def test_no_window_holds_more_than_the_limit_and_no_sliding_one_twice_as_many(pauses):
    now, seen, passed = START, EMPTY, []
    for pause in pauses:
        now += pause
        if isinstance(decide(seen, now, HARD), Open):
            seen = failed(seen, now, HARD)
            passed.append(now)
    for at in passed:
        window = at - at % HOUR
        assert sum(window <= other < window + HOUR for other in passed) <= HARD.failures
        assert sum(at - HOUR < other <= at for other in passed) < 2 * HARD.failures


def test_the_documented_overshoot_is_reached_at_worst():
    seen, now = EMPTY, START + HOUR - 1
    for _ in range(10):
        seen = failed(seen, now, HARD)
    after = 0
    for step in range(1, HOUR, HOUR // 500):
        if isinstance(decide(seen, START + HOUR + step, HARD), Open):
            seen = failed(seen, START + HOUR + step, HARD)
            after += 1
    assert after == 9


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=400))
def test_with_delays_a_window_holds_the_limit_and_a_few_more(pauses):
    now, seen, passed = START, EMPTY, []
    for pause in pauses:
        now += pause
        if isinstance(decide(seen, now, SOFT), Open):
            seen = failed(seen, now, SOFT)
            passed.append(now)
    # 30 + 60 + 120 + 240 + 480 s, then one each 900 s: seven in an hour.
    in_first = sum(at < START + HOUR for at in passed)
    assert in_first <= SOFT.failures + 7


def test_retry_after_is_whole_seconds_and_never_none():
    assert Limited(until_ms=START + 1001).retry_after_seconds(START) == 2
    assert Limited(until_ms=START).retry_after_seconds(START) == 1


@pytest.mark.parametrize("field", ["failures", "window_seconds", "when_away", "batch", "unreserved_at_once"])
def test_a_limit_of_nothing_is_refused(field):
    with pytest.raises(ValueError, match="1 or more"):
        replace(HARD, **{field: 0})
