from __future__ import annotations

from service.throttle.limits import ACCOUNT, ADDRESS
from service.throttle.memory import LaneState, Memory
from service.throttle.model import Tally

START = 1_800_000_000_000 - 1_800_000_000_000 % ACCOUNT.window_ms


def tally(current, start=START):
    return Tally(start_ms=start, current=current)


def test_memory_is_bounded_and_drops_the_lane_used_longest_ago():
    memory = Memory(2)
    memory.of("a").pending = 1
    memory.of("b")
    memory.of("a")
    assert memory.is_full
    memory.of("c")
    assert len(memory) == 2
    assert memory.of("a").pending == 1


def test_a_lane_with_an_attempt_under_way_is_never_dropped():
    memory = Memory(1)
    for hold in ("unreserved", "reserving", "reserved", "writing"):
        setattr(memory.of(hold), hold, 1)
    assert all(getattr(memory.of(hold), hold) == 1 for hold in ("unreserved", "reserving", "reserved", "writing"))


def test_asking_for_a_lane_that_was_not_seen_makes_no_state():
    memory = Memory()
    assert memory.known("a") is None
    assert len(memory) == 0


def test_a_read_that_is_older_than_what_is_known_changes_nothing():
    state = LaneState(tally=tally(5))
    state.saw(tally(3))
    assert state.tally.current == 5
    state.saw(tally(1, START + ACCOUNT.window_ms))
    assert state.tally.current == 1


def test_one_attempt_of_an_account_may_be_under_way_unreserved():
    assert LaneState().may_go_unreserved(START, ACCOUNT)
    assert not LaneState(unreserved=1).may_go_unreserved(START, ACCOUNT)
    assert not LaneState(writing=1).may_go_unreserved(START, ACCOUNT)
    assert not LaneState(reserving=1).may_go_unreserved(START, ACCOUNT)


def test_from_half_of_the_limit_on_every_attempt_is_reserved():
    assert LaneState(tally=tally(4)).may_go_unreserved(START, ACCOUNT)
    assert not LaneState(tally=tally(5)).may_go_unreserved(START, ACCOUNT)


def test_failures_not_written_yet_count_towards_the_half():
    assert LaneState(unreserved=25, pending=4).may_go_unreserved(START, ADDRESS)
    assert not LaneState(unreserved=25, pending=20, writing=5).may_go_unreserved(START, ADDRESS)
