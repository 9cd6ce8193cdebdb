from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sessions.model import SessionLife, SessionState
from tests.unit.sessions.conftest import NOW_MS, make_session, make_token

SECONDS = st.integers(0, 10**6)
SESSION = make_session(make_token())


def make_life(grace, skew, deadline):
    return SessionLife(
        grace_seconds=grace, skew_seconds=skew, deadline_seconds=deadline, idle_seconds=1, absolute_seconds=1
    )


def test_the_times_of_the_default_settings():
    life = make_life(30, 2, 10)
    assert (life.grace_ms, life.coalesce_ms) == (34_000, 48_000)


@given(SECONDS, SECONDS, SECONDS)
def test_a_generation_stands_longer_than_the_grace_of_the_one_before_whatever_the_clocks(grace, skew, deadline):
    life = make_life(grace, skew, deadline)
    assert life.grace_ms >= (grace + 2 * skew) * 1000
    assert life.coalesce_ms - life.grace_ms == (2 * skew + deadline) * 1000


@pytest.mark.parametrize(("idle", "absolute", "ends"), [(1, 2, 1), (2, 1, 1), (3, 3, 3)])
def test_a_session_ends_with_the_earlier_of_its_two_lives(idle, absolute, ends):
    assert replace(SESSION, idle_expiry_ms=idle, absolute_expiry_ms=absolute).expires_ms() == ends


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, True),
        ({"state": SessionState.REVOKED}, False),
        ({"idle_expiry_ms": NOW_MS + 1}, True),
        ({"idle_expiry_ms": NOW_MS}, False),
        ({"absolute_expiry_ms": NOW_MS}, False),
        ({"epoch": 4}, True),
        ({"epoch": 6}, True),
    ],
)
def test_a_live_session_is_active_unexpired_and_as_new_as_its_users_epoch(changes, live):
    epoch = {"epoch": 5}
    assert replace(SESSION, **(epoch | changes)).is_live(now_ms=NOW_MS, user_epoch=changes.get("epoch", 5)) is live


def test_a_session_begun_before_the_epoch_was_raised_is_dead():
    assert not replace(SESSION, epoch=4).is_live(now_ms=NOW_MS, user_epoch=5)


def test_a_session_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        SESSION.state = SessionState.ACTIVE
