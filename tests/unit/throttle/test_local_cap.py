from __future__ import annotations

from service.throttle.lanes import LaneKeys
from service.throttle.local_cap import LocalCap
from service.throttle.model import Limited

MINUTE = 60_000
NOW = 1_800_000_000_000 - 1_800_000_000_000 % MINUTE
KEYS = LaneKeys(bytes(32))


def lanes(name, prefix="192.0.2.1/32"):
    made = KEYS.sign_in(identity_key=name, prefix=prefix, device=None)
    return (made.account, made.address)


def test_an_attempt_that_one_lane_refuses_is_counted_in_none():
    cap = LocalCap()
    for _ in range(3):
        assert cap.take(lanes("ada"), NOW) is None
    for _ in range(50):
        assert cap.take(lanes("ada"), NOW) == Limited(until_ms=NOW + MINUTE)
    assert [cap.take(lanes(f"user{n}"), NOW) for n in range(7)] == [None] * 7
    assert cap.take(lanes("user8"), NOW) is not None


def test_its_memory_is_bounded_by_the_total():
    cap = LocalCap(total=5)
    for number in range(1000):
        cap.take(lanes(f"user{number}", f"10.0.0.{number}/32"), NOW)
    assert len(cap._by_lane) == 10
    cap.take(lanes("ada"), NOW + MINUTE)
    assert len(cap._by_lane) == 2
