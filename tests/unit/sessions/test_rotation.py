"""data.md's table of refused writes, row by row, with the boundaries on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.sessions.model import SessionLife, SessionState
from service.sessions.refresh_token import MAX_GENERATION, RefreshKeys
from service.sessions.rotation import Granted, Kind, Refusal, Refused, judge
from tests.unit.sessions.conftest import HOUR_MS, MASTERS, NONCE, NOW_MS, make_session, make_token

KEYS = RefreshKeys(MASTERS, active_kid=1)
LIFE = SessionLife(grace_seconds=30, skew_seconds=2, deadline_seconds=10, idle_seconds=3600, absolute_seconds=7200)
GRACE_MS = 34_000
FIRST = make_token(generation=3)
SECOND = KEYS.successor(FIRST, kid=1, nonce=NONCE)
ROTATED = make_session(SECOND, previous_digest=FIRST.digest, nonce=NONCE, rotated_ms=NOW_MS)
BEFORE_FIRST = make_token(generation=2, secret=b"w" * 20)
FOREIGN_SECRET = make_token(secret=b"q" * 20, generation=4)


def judged(stored, presented, *, now_ms=NOW_MS, keys=KEYS):
    verdict = judge(stored, presented, keys=keys, life=LIFE, now_ms=now_ms)
    return verdict.kind if isinstance(verdict, Granted) else verdict.reason


REVOKED = replace(ROTATED, state=SessionState.REVOKED)
ENDED = replace(ROTATED, idle_expiry_ms=NOW_MS)
ENDED_FOR_GOOD = replace(ROTATED, absolute_expiry_ms=NOW_MS)
TABLE = {
    "nothing is stored": (None, FIRST, Refusal.UNKNOWN),
    "revoked, current": (REVOKED, SECOND, Refusal.REVOKED),
    "revoked, previous": (REVOKED, FIRST, Refusal.REVOKED),
    "revoked, older: no second alarm": (REVOKED, BEFORE_FIRST, Refusal.REVOKED),
    "revoked and expired": (replace(REVOKED, idle_expiry_ms=0), SECOND, Refusal.REVOKED),
    "idle too long, current": (ENDED, SECOND, Refusal.EXPIRED),
    "idle too long, previous": (ENDED, FIRST, Refusal.EXPIRED),
    "idle too long, older: not reuse": (ENDED, BEFORE_FIRST, Refusal.EXPIRED),
    "absolute life over, current": (ENDED_FOR_GOOD, SECOND, Refusal.EXPIRED),
    "absolute life over, previous": (ENDED_FOR_GOOD, FIRST, Refusal.EXPIRED),
    "current, rotated too lately": (ROTATED, SECOND, Kind.COALESCED),
    "the current generation with another secret": (ROTATED, FOREIGN_SECRET, Refusal.FORGED),
    "previous, within the grace": (ROTATED, FIRST, Kind.GRACE),
    "the previous generation with another secret": (ROTATED, replace(FIRST, secret=b"q" * 20), Refusal.REUSE),
    "the previous generation, nothing kept of it": (replace(ROTATED, previous_digest=None), FIRST, Refusal.REUSE),
    "two generations old": (ROTATED, BEFORE_FIRST, Refusal.REUSE),
    "two generations old with the previous secret": (ROTATED, replace(FIRST, generation=2), Refusal.REUSE),
    "from the future": (ROTATED, replace(SECOND, generation=5), Refusal.FUTURE),
    "from the far future": (ROTATED, replace(SECOND, generation=MAX_GENERATION), Refusal.FUTURE),
    "previous, the nonce is lost": (replace(ROTATED, nonce=None), FIRST, Refusal.UNDERIVABLE),
    "previous, another nonce": (replace(ROTATED, nonce=b"m" * 16), FIRST, Refusal.UNDERIVABLE),
    "previous, made with a key that is gone": (replace(ROTATED, kid=9), FIRST, Refusal.UNDERIVABLE),
    "previous, made with another key of ours": (replace(ROTATED, kid=2), FIRST, Refusal.UNDERIVABLE),
}


@pytest.mark.parametrize("row", TABLE)
def test_each_row_of_the_table(row):
    stored, presented, expected = TABLE[row]
    assert judged(stored, presented) == expected


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [
        (-60_000, Kind.GRACE),
        (-1, Kind.GRACE),
        (0, Kind.GRACE),
        (30_000, Kind.GRACE),
        (GRACE_MS - 1, Kind.GRACE),
        (GRACE_MS, Kind.GRACE),
        (GRACE_MS + 1, Refusal.REUSE),
        (HOUR_MS - 1, Refusal.REUSE),
        (HOUR_MS, Refusal.EXPIRED),
    ],
)
def test_the_previous_token_is_honoured_to_the_last_millisecond_of_the_grace(after_ms, expected):
    assert judged(ROTATED, FIRST, now_ms=NOW_MS + after_ms) == expected


@pytest.mark.parametrize("which", ["idle_expiry_ms", "absolute_expiry_ms"])
@pytest.mark.parametrize(("early_ms", "expected"), [(1, Kind.COALESCED), (0, Refusal.EXPIRED), (-1, Refusal.EXPIRED)])
def test_a_session_ends_at_its_expiry_and_not_a_millisecond_later(which, early_ms, expected):
    assert judged(replace(ROTATED, **{which: NOW_MS + early_ms}), SECOND) == expected


def test_a_coalesced_refresh_answers_the_presented_token_itself():
    assert judge(ROTATED, SECOND, keys=KEYS, life=LIFE, now_ms=NOW_MS) == Granted(
        kind=Kind.COALESCED, token=SECOND, session=ROTATED
    )


def test_a_retry_in_the_grace_is_answered_with_the_same_successor():
    assert judge(ROTATED, FIRST, keys=KEYS, life=LIFE, now_ms=NOW_MS) == Granted(
        kind=Kind.GRACE, token=SECOND, session=ROTATED
    )


def test_a_retry_under_a_retired_key_is_answered_with_the_same_successor():
    later = RefreshKeys(MASTERS, active_kid=2)
    assert judge(ROTATED, FIRST, keys=later, life=LIFE, now_ms=NOW_MS).token == SECOND


def test_a_coalesced_token_keeps_the_key_that_it_was_issued_with():
    old = replace(SECOND, kid=2)
    assert judge(ROTATED, old, keys=KEYS, life=LIFE, now_ms=NOW_MS).token == old


def test_what_should_wake_an_operator():
    assert {reason for reason in Refusal if reason.is_alarming} == {
        Refusal.FORGED,
        Refusal.FUTURE,
        Refusal.REUSE,
        Refusal.UNDERIVABLE,
    }


TIMES = st.integers(NOW_MS - 10 * HOUR_MS, NOW_MS + 10 * HOUR_MS)
STORED = st.builds(
    lambda state, idle, absolute, rotated, previous, nonce, kid: replace(
        ROTATED,
        state=state,
        idle_expiry_ms=idle,
        absolute_expiry_ms=absolute,
        rotated_ms=rotated,
        previous_digest=previous,
        nonce=nonce,
        kid=kid,
    ),
    st.sampled_from(SessionState),
    TIMES,
    TIMES,
    TIMES,
    st.sampled_from([FIRST.digest, BEFORE_FIRST.digest, None]),
    st.sampled_from([NONCE, None, b"m" * 16]),
    st.sampled_from([1, 2, 9]),
)
PRESENTED = st.sampled_from([FIRST, SECOND, BEFORE_FIRST, FOREIGN_SECRET, replace(SECOND, generation=9)])


@given(st.none() | STORED, PRESENTED, TIMES)
def test_nothing_is_granted_but_the_current_secret_of_a_live_session(stored, presented, now_ms):
    verdict = judge(stored, presented, keys=KEYS, life=LIFE, now_ms=now_ms)
    if isinstance(verdict, Granted):
        assert verdict.session is stored
        assert stored.state is SessionState.ACTIVE
        assert now_ms < min(stored.idle_expiry_ms, stored.absolute_expiry_ms)
        assert verdict.token.digest == stored.digest
        assert verdict.token.generation == stored.generation


@given(STORED, PRESENTED, TIMES)
def test_reuse_is_found_only_in_a_live_session_with_an_older_token(stored, presented, now_ms):
    verdict = judge(stored, presented, keys=KEYS, life=LIFE, now_ms=now_ms)
    if verdict == Refused(reason=Refusal.REUSE):
        assert stored.is_live(now_ms=now_ms, user_epoch=0)
        assert presented.generation < stored.generation


@given(STORED, PRESENTED, TIMES)
def test_the_same_question_has_the_same_answer(stored, presented, now_ms):
    verdicts = {repr(judge(stored, presented, keys=KEYS, life=LIFE, now_ms=now_ms)) for _ in range(2)}
    assert len(verdicts) == 1
