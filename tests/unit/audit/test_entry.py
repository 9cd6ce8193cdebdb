from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.audit.entry import EventIds, actor_text
from service.audit.event import Agent
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy
from tests.unit.audit.conftest import OPERATOR, make_event


@given(st.lists(st.sampled_from([0, 0, 1, 17, 90_000_000]), min_size=2, max_size=300))
def test_ids_sort_as_text_in_the_order_of_time_and_never_meet(steps_ms):
    clock = ManualClock()
    ids, given_out = EventIds(clock=clock, entropy=CountedEntropy()), []
    for step_ms in steps_ms:
        clock.ms += step_ms
        given_out.append(ids.next()[0])
    assert given_out == sorted(given_out)
    assert len(set(given_out)) == len(given_out)
    assert {len(one) for one in given_out} == {13 + 1 + 4 + 1 + 16}


def test_two_processes_do_not_meet_in_one_millisecond():
    clock = ManualClock()
    one, other = (EventIds(clock=clock, entropy=CountedEntropy(seed)) for seed in "ab")
    assert one.next()[0] != other.next()[0]


@given(st.integers(0, 9_999_999_999_999))
def test_an_id_carries_its_time(ms):
    event_id, time_ms = EventIds(clock=ManualClock(ms=ms), entropy=CountedEntropy()).next()
    assert int(event_id[:13]) == time_ms == ms


def test_the_actor_is_nobody_a_word_or_an_account():
    assert actor_text(make_event()) is None
    assert actor_text(make_event(actor=Agent.OPERATOR)) == "operator"
    assert actor_text(make_event(actor=OPERATOR)) == "6f6f6f6f-6f6f-6f6f-6f6f-6f6f6f6f6f6f"
