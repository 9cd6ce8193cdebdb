"""What to do about a token's ``kid``, given the moment: the rules alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyturn import Bounds, KeySet
from keyturn.discovery import FetchedKeys
from keyturn.key_state import BURST, MAX_MISSING, Budget, Held, Moment, Step
from keyturn.testing.signing import SigningKey

BOUNDS = Bounds()
SIGNER = SigningKey.make("newer")
KEYS = KeySet.of(SigningKey.make("known").verifying)
FOUND = FetchedKeys(keys=KEYS, fresh_seconds=300)


def at(seconds, *, asleep=0.0):
    """A moment; while the machine sleeps its monotonic clock stands still."""
    return Moment(wall_ms=round(seconds * 1000), monotonic_seconds=seconds - asleep)


def held(*, sought=None):
    """Keys whose fetch began at 0 and ended at 1."""
    return Held.after_success(FOUND, began=at(0), ended=at(1), sought=sought)


def step(state, kid, now, *, arrived=None):
    return state.step(kid, arrived=arrived or now, now=now, bounds=BOUNDS)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1, Step.USE),
        (224.9, Step.USE),
        (225, Step.USE_AND_REFRESH),
        (299.9, Step.USE_AND_REFRESH),
        (300, Step.FETCH),
        (3600, Step.FETCH),
    ],
)
def test_a_known_key_is_used_then_refreshed_in_the_background_then_waited_for(seconds, expected):
    assert step(held(), "known", at(seconds)) is expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(100, Step.USE), (300, Step.USE_AND_REFRESH), (3599.9, Step.USE_AND_REFRESH), (3600, Step.CANNOT_KNOW)],
)
def test_while_the_issuer_is_away_known_keys_are_used_up_to_the_limit_and_nobody_waits(seconds, expected):
    assert step(held().after_failure(ended=at(2)), "known", at(seconds)) is expected


def test_an_unknown_key_is_looked_for_and_cannot_be_known_while_the_issuer_is_away():
    assert step(held(), "unknown", at(2)) is Step.LOOK_FOR_KEY
    assert step(held().after_failure(ended=at(2)), "unknown", at(3)) is Step.CANNOT_KNOW


def test_with_no_keys_at_all_they_are_fetched_and_while_the_issuer_is_away_nobody_waits():
    assert step(Held(), "known", at(5)) is Step.FETCH
    assert step(Held().after_failure(ended=at(4)), "known", at(5)) is Step.CANNOT_KNOW


def test_a_fetch_that_began_after_the_token_came_says_whether_its_key_exists():
    state = held()
    assert step(state, "unknown", at(1), arrived=at(-0.1)) is Step.REFUSE_TOKEN
    # At the same reading of a coarse clock nobody knows which came first.
    assert step(state, "unknown", at(1), arrived=at(0)) is Step.LOOK_FOR_KEY
    assert step(state, "unknown", at(1), arrived=at(0.5)) is Step.LOOK_FOR_KEY


def test_a_fetch_for_this_very_key_says_so_too_until_it_may_be_repeated():
    state = held(sought="unknown")
    assert step(state, "unknown", at(1), arrived=at(0.5)) is Step.REFUSE_TOKEN
    assert step(state, "unknown", at(2.9)) is Step.REFUSE_TOKEN
    assert step(state, "unknown", at(3)) is Step.LOOK_FOR_KEY
    assert step(state, "other", at(1), arrived=at(0.5)) is Step.LOOK_FOR_KEY


def test_keys_that_were_fetched_for_this_request_are_fresh_enough_for_it():
    state = replace(held(), fresh_seconds=0.1)
    assert step(state, "known", at(1), arrived=at(0)) is Step.USE_AND_REFRESH


@pytest.mark.parametrize(
    "now",
    [at(400, asleep=399), Moment(wall_ms=-50_000, monotonic_seconds=400)],
    ids=["the machine slept", "the clock was set back"],
)
def test_no_clock_that_stands_still_or_goes_back_makes_a_key_live_longer(now):
    assert step(held(), "known", now, arrived=replace(now, monotonic_seconds=now.monotonic_seconds)) is Step.FETCH


def test_fruitless_fetches_are_few_at_once_and_then_one_in_each_interval():
    budget = Budget(2)
    assert [budget.take(at(0)) for _ in range(BURST + 1)] == [True] * BURST + [False]
    assert budget.seconds_until_next == 2
    assert not budget.take(at(1.5))
    assert budget.seconds_until_next == 0.5
    assert budget.take(at(2))
    assert not budget.take(at(3.9))
    assert [budget.take(at(1000)) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_a_fetch_that_found_something_costs_nothing_of_the_budget():
    budget = Budget(2)
    for _ in range(100):
        assert budget.take(at(0))
        budget.give_back()
    for _ in range(100):
        budget.give_back()
    assert [budget.take(at(0)) for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_what_was_not_there_or_is_not_any_more_is_remembered_until_it_is_and_no_longer_than_bounded():
    state = held(sought="never")
    assert state.missing == ("never",)
    for number in range(3 * MAX_MISSING):
        newer = FetchedKeys(keys=KeySet.of(SIGNER.verifying), fresh_seconds=300)
        state = Held.after_success(newer, began=at(2), ended=at(3), sought=f"made-up-{number}", before=state)
    assert len(state.missing) == MAX_MISSING
    assert state.missing[-1] == f"made-up-{3 * MAX_MISSING - 1}"
    dropped = Held.after_success(FOUND, began=at(4), ended=at(5), sought="known", before=state)
    assert dropped.missing[-1] == "newer"
    assert "known" not in dropped.missing
    assert dropped.after_failure(ended=at(6)).missing == dropped.missing


def test_a_clock_that_is_set_back_fills_no_budget():
    budget = Budget(2)
    assert [budget.take(at(5)) for _ in range(BURST)] == [True] * BURST
    assert not budget.take(at(1))


def test_a_failure_is_remembered_until_the_next_good_answer():
    failed = held().after_failure(ended=at(10))
    assert failed.is_away
    assert (failed.keys, failed.began) == (KEYS, at(0))
    assert not failed.may_try(at(11), bounds=BOUNDS)
    assert failed.may_try(at(12), bounds=BOUNDS)
    assert not Held.after_success(FOUND, began=at(12), ended=at(13), sought=None).is_away
