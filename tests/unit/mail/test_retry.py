from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.retry import Retry

FIRST, LAST = b"\0\0\0\0", b"\xff\xff\xff\xff"


@pytest.mark.parametrize(("failures", "longest"), [(1, 15), (2, 30), (3, 60), (8, 1920), (9, 3600), (12, 3600)])
def test_the_pause_doubles_up_to_an_hour(failures, longest):
    retry = Retry()
    assert retry.delay_seconds(failures=failures, chance=FIRST) == longest / 2
    assert retry.delay_seconds(failures=failures, chance=LAST) == pytest.approx(longest)


@given(st.integers(min_value=1, max_value=10**6), st.binary(min_size=4, max_size=4))
def test_every_pause_lies_between_half_of_the_first_and_the_longest(failures, chance):
    assert 7.5 <= Retry().delay_seconds(failures=failures, chance=chance) < 3600


@given(st.integers(min_value=1, max_value=30), st.binary(min_size=4, max_size=4))
def test_no_pause_is_shorter_than_a_longer_ones_lower_half(failures, chance):
    retry = Retry(longest_delay_seconds=float("inf"))
    assert retry.delay_seconds(failures=failures, chance=chance) <= retry.delay_seconds(
        failures=failures + 1, chance=FIRST
    )


def test_all_tries_together_outlast_an_evening_without_a_relay():
    retry = Retry()
    total = sum(retry.delay_seconds(failures=tries, chance=FIRST) for tries in range(1, retry.attempts))
    assert total > 2 * 3600


@pytest.mark.parametrize(("failures", "longest"), [(1, 600), (4, 600), (7, 960), (10, 3600)])
def test_after_a_try_that_may_have_sent_it_the_pause_is_ten_minutes_at_least(failures, longest):
    assert Retry().delay_seconds(failures=failures, chance=LAST, uncertain=True) == pytest.approx(longest)


def test_a_try_that_may_have_sent_it_counts_as_three():
    assert (Retry().counts(uncertain=True), Retry().counts(uncertain=False)) == (3, 1)
