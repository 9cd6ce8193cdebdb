from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.throttle.limits import MAIL_TO_ADDRESS
from service.throttle.quota import SKEW_MS, Over, Quota, Spent, spend

NOW = 1_800_000_000_000
QUOTA = Quota(name="q", burst=3, interval_seconds=1800)


def test_a_burst_passes_and_the_next_waits_one_interval():
    state = 0
    for _ in range(3):
        spent = spend(state, NOW, QUOTA)
        assert isinstance(spent, Spent)
        state = spent.full_ms
    assert spend(state, NOW, QUOTA) == Over(until_ms=NOW + 1_800_000)
    assert isinstance(spend(state, NOW + 1_800_000, QUOTA), Spent)


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=100))
def test_no_hour_holds_more_than_the_quota_promises(pauses):
    now, state, passed = NOW, 0, []
    for pause in pauses:
        now += pause
        result = spend(state, now, QUOTA)
        if isinstance(result, Spent):
            state = result.full_ms
            passed.append(now)
    for at in passed:
        assert sum(at <= other <= at + 3_600_000 for other in passed) <= QUOTA.most_in(3600)


@given(now=st.integers(NOW, NOW + 10**7), ahead=st.integers(0, 3 * 1_800_000))
def test_the_wait_ends_when_it_says(now, ahead):
    result = spend(now + ahead, now, QUOTA)
    if isinstance(result, Over):
        assert isinstance(spend(now + ahead, result.until_ms, QUOTA), Spent)
        assert isinstance(spend(now + ahead, result.until_ms - 1, QUOTA), Over)


def test_a_clock_that_is_a_little_ahead_gives_no_fresh_burst():
    assert isinstance(spend(NOW + QUOTA.depth_ms + SKEW_MS, NOW, QUOTA), Over)


def test_a_clock_that_was_years_ahead_locks_nobody_out():
    assert isinstance(spend(NOW + 10**12, NOW, QUOTA), Spent)


def test_the_default_is_fifteen_mails_an_hour():
    assert MAIL_TO_ADDRESS.most_in(3600) == 15


@pytest.mark.parametrize("numbers", [{"burst": 0, "interval_seconds": 1}, {"burst": 1, "interval_seconds": 0}])
def test_a_quota_of_nothing_is_refused(numbers):
    with pytest.raises(ValueError, match="1 or more"):
        Quota(name="q", **numbers)
