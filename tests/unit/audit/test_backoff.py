from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.audit.backoff import Backoff


@given(st.integers(1, 10_000), st.binary(min_size=1, max_size=4))
def test_delays_are_bounded(failures, chance):
    assert 0.1 <= Backoff().delay_seconds(failures, chance) <= 5.0


@given(st.binary(min_size=2, max_size=2))
def test_a_delay_is_not_below_the_one_before(chance):
    delays = [Backoff().delay_seconds(failures, chance) for failures in range(1, 12)]
    assert delays == sorted(delays)
