"""How long keys are used: refreshed before they are stale, gone when the issuer drops them, kept while it is away."""

from __future__ import annotations

import threading
import time

import pytest

from keyturn import Bounds, errors
from tests.guard.conftest import JWKS_PATH

AWAY = (503, {}, b"")


def until(condition, *, seconds=20):
    """Wait for what happens in another thread; its end has no event here."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def guard(still, guard_of):
    guard = guard_of(still)
    guard.verify(still.token_for("user"))
    return guard


def test_known_keys_cost_no_request_while_they_are_fresh(still, guard):
    still.clock.advance(seconds=224)
    for _ in range(50):
        guard.verify(still.token_for("user"))
    assert still.fetches == 1


def test_keys_are_refreshed_before_they_are_stale_and_nobody_waits_for_it(still, guard):
    still.held = threading.Event()
    still.clock.advance(seconds=225)
    for _ in range(50):
        guard.verify(still.token_for("user"))
    assert still.arrived.wait(20)
    assert still.fetches == 2
    still.held.set()


def test_keys_are_refreshed_when_nobody_asks_for_anything(live, guard_of):
    live.headers = {"Cache-Control": "max-age=0"}
    guard = guard_of(live, bounds=Bounds(min_fresh_seconds=0.05))
    guard.prepare()
    until(lambda: live.fetches >= 4)


def test_a_key_that_the_issuer_drops_dies_when_the_set_is_no_longer_fresh(still, guard):
    old = still.token_for("user", lifetime=3600)
    still.rotate()
    still.retire()
    still.clock.advance(seconds=224)
    assert guard.verify(old).subject == "user"
    still.clock.advance(seconds=76)
    with pytest.raises(errors.UnknownKey):
        guard.verify(old)


@pytest.mark.parametrize(
    ("cache_control", "bounded_seconds"),
    [
        ("max-age=100", 100),
        ("public, MAX-AGE=100", 100),
        ("max-age=1", 30),
        ("no-store", 30),
        ("max-age=864000", 600),
        ("", 300),
        ("max-age=soon", 300),
    ],
)
def test_max_age_is_honoured_between_two_bounds(still, guard_of, cache_control, bounded_seconds):
    still.headers = {"Cache-Control": cache_control}
    guard = guard_of(still)
    old = still.token_for("user", lifetime=3600)
    guard.verify(old)
    still.rotate()
    still.retire()
    still.answers[JWKS_PATH] = AWAY
    still.clock.advance(seconds=0.74 * bounded_seconds)
    guard.verify(old)
    assert still.fetches == 1
    del still.answers[JWKS_PATH]
    still.clock.advance(seconds=0.26 * bounded_seconds)
    with pytest.raises(errors.UnknownKey):
        guard.verify(old)


def test_the_time_that_a_cache_kept_the_answer_counts(still, guard_of):
    still.headers = {"Cache-Control": "max-age=300", "Age": "200"}
    guard = guard_of(still)
    old = still.token_for("user", lifetime=3600)
    guard.verify(old)
    still.rotate()
    still.retire()
    still.clock.advance(seconds=100)
    with pytest.raises(errors.UnknownKey):
        guard.verify(old)


def test_an_issuer_that_is_away_refuses_nobody_until_the_limit_and_then_it_cannot_be_known(still, guard):
    still.answers[JWKS_PATH] = AWAY
    for _ in range(35):
        still.clock.advance(seconds=100)
        assert guard.verify(still.token_for("user")).subject == "user"
    still.clock.advance(seconds=100)
    with pytest.raises(errors.KeysUnavailable) as refusal:
        guard.verify(still.token_for("user"))
    assert refusal.value.status == 503


def test_an_issuer_that_comes_back_is_noticed(still, guard):
    still.answers[JWKS_PATH] = AWAY
    still.clock.advance(seconds=4000)
    for _ in range(2):
        with pytest.raises(errors.KeysUnavailable):
            guard.verify(still.token_for("user"))
    del still.answers[JWKS_PATH]
    asked = still.fetches
    still.clock.advance(seconds=2)
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(still.token_for("user"))
    until(lambda: still.fetches > asked)
    until(lambda: accepted(guard, still.token_for("user")))


def accepted(guard, token):
    try:
        return guard.verify(token)
    except errors.KeysUnavailable:
        return None


def test_an_issuer_that_is_away_is_asked_no_more_often_than_the_bound(still, guard_of):
    still.answers[JWKS_PATH] = AWAY
    guard = guard_of(still, bounds=Bounds(refetch_seconds=600))
    for _ in range(100):
        with pytest.raises(errors.KeysUnavailable):
            guard.verify(still.token_for("user"))
    assert still.fetches == 1


def test_a_new_key_while_the_issuer_is_away_cannot_be_known_and_nobody_waits(still, guard_of):
    guard = guard_of(still, bounds=Bounds(refetch_seconds=600))
    guard.prepare()
    still.answers[JWKS_PATH] = AWAY
    still.rotate()
    token = still.token_for("user")
    for _ in range(100):
        with pytest.raises(errors.KeysUnavailable):
            guard.verify(token)
    assert still.fetches == 2


def test_before_the_first_answer_it_cannot_be_known(still, guard_of):
    still.answers[JWKS_PATH] = AWAY
    guard = guard_of(still)
    with pytest.raises(errors.KeysUnavailable):
        guard.prepare()
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(still.token_for("user"))


def test_a_new_address_of_the_key_set_is_found(still, guard):
    still.answers[JWKS_PATH] = (404, {}, b"")
    moved = {"issuer": still.issuer, "jwks_uri": f"{still.issuer}/moved"}
    still.metadata = lambda: moved
    still.rotate()
    still.answers["/moved"] = (200, {"Content-Type": "application/json"}, still.jwks_bytes())
    still.clock.advance(seconds=300)
    until(lambda: accepted(guard, still.token_for("user")))


def test_a_closed_verifier_fetches_no_more_and_goes_on_with_what_it_has(still, guard):
    guard.close()
    assert guard.verify(still.token_for("user")).subject == "user"
    still.clock.advance(seconds=250)
    assert guard.verify(still.token_for("user")).subject == "user"
    still.rotate()
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(still.token_for("user"))
    assert still.fetches == 1
