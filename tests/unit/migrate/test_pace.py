from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.migrate.pace import Pace, PacedMeter


async def test_what_was_spent_is_paid_by_waiting(clock):
    pace = Pace(clock=clock, units_per_second=10)
    await pace.wait()
    assert clock.now == 0
    pace.spend(25)
    await pace.wait()
    assert clock.now == 2.5


@given(st.lists(st.floats(min_value=0, max_value=50), min_size=1))
def test_never_more_than_the_rate_plus_the_last_call(units):
    class Clock:
        now = 0.0

        def monotonic_seconds(self):
            return self.now

    clock = Clock()
    pace = Pace(clock=clock, units_per_second=7)
    spent = 0.0
    for some in units:
        clock.now = max(clock.now, pace.free_at_seconds)
        assert spent <= clock.now * 7 + 1e-6
        pace.spend(some)
        spent += some


def test_time_that_passed_idle_is_not_saved_up(clock):
    pace = Pace(clock=clock, units_per_second=1)
    clock.now = 100.0
    pace.spend(5)
    assert pace.free_at_seconds == 105.0


def test_the_meter_tells_the_pace_and_the_meter_before(clock):
    seen = []

    class Inner:
        def record(self, **call):
            seen.append(call)

    pace = Pace(clock=clock, units_per_second=1)
    PacedMeter(meter=Inner(), pace=pace).record(operation="o", table="t", seconds=1.0, units=3.0, failed=False)
    assert pace.free_at_seconds == 3.0
    assert seen == [{"operation": "o", "table": "t", "seconds": 1.0, "units": 3.0, "failed": False}]
