from __future__ import annotations

import time

from service.kernel.clock import Clock, SystemClock


def test_wall_time_is_in_milliseconds_since_the_unix_epoch():
    before = int(time.time() * 1000)
    assert before <= SystemClock().now_ms() <= int(time.time() * 1000) + 1


def test_monotonic_time_never_goes_back():
    clock: Clock = SystemClock()
    first = clock.monotonic_seconds()
    assert clock.monotonic_seconds() >= first


async def test_sleeping_takes_at_least_the_time_asked_for():
    clock = SystemClock()
    before = time.perf_counter()
    await clock.sleep(0.01)
    assert time.perf_counter() - before >= 0.009
