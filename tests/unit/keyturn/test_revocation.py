"""What a guard knows of revocations: who is dead by it, how long, and what becomes of a flood."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.revocation import MAX_ENTRIES, KnownRevocations
from keyturn.revocation_statement import SessionEnded, Statement, UserEnded

NOW = 1_800_000_000
RETAIN, SETTLE = 414, 84


@dataclass(frozen=True)
class Bearer:
    """What of a principal matters here."""

    session_id: str | None = "s"
    subject: str = "u"
    epoch: object = 0
    issued_at: int = NOW - 10
    claims: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.epoch is not None:
            object.__setattr__(self, "claims", MappingProxyType({"epoch": self.epoch}))


def statement(*entries, forgotten=None, retain=RETAIN):
    return Statement(
        issued_at=NOW,
        cursor="",
        following="next",
        more=False,
        retain_seconds=retain,
        settle_seconds=SETTLE,
        forgotten=forgotten,
        sessions=tuple(one for one in entries if isinstance(one, SessionEnded)),
        users=tuple(one for one in entries if isinstance(one, UserEnded)),
    )


def session(session_id="s", at=NOW):
    return SessionEnded(session_id=session_id, at=at)


def user(epoch, *, kept=None, at=NOW, subject="u"):
    return UserEnded(subject=subject, epoch=epoch, kept=kept, at=at)


def heard(*entries, max_entries=1000, **changes):
    known = KnownRevocations(max_entries=max_entries)
    known.apply(statement(*entries, **changes))
    return known


def test_nobody_is_dead_of_whom_nothing_was_heard():
    assert not heard().is_revoked(Bearer())
    assert not heard(session("other"), user(9, subject="other")).is_revoked(Bearer())


def test_every_token_of_an_ended_session_is_dead_whenever_it_was_issued():
    known = heard(session())
    for issued_at in (NOW - 300, NOW, NOW + 60):
        assert known.is_revoked(Bearer(issued_at=issued_at, epoch=99))


@pytest.mark.parametrize(("epoch", "dead"), [(0, True), (2, True), (3, False), (4, False)])
def test_the_tokens_below_the_epoch_are_dead_and_no_other(epoch, dead):
    assert heard(user(3)).is_revoked(Bearer(epoch=epoch)) is dead


@pytest.mark.parametrize("issued_at", [NOW - 1, NOW, NOW + 1])
def test_the_second_in_which_a_token_was_issued_decides_nothing(issued_at):
    """Issued after the end by a refresh that began before it: dead. By who signed in in that second: alive."""
    known = heard(user(1))
    assert known.is_revoked(Bearer(epoch=0, issued_at=issued_at))
    assert not known.is_revoked(Bearer(epoch=1, issued_at=issued_at))


@pytest.mark.parametrize("epoch", [None, "3", True, -1, 3.0])
def test_a_token_that_tells_no_epoch_is_older_than_the_feed_and_dead(epoch):
    assert heard(user(1)).is_revoked(Bearer(epoch=epoch))
    assert not heard(session("other")).is_revoked(Bearer(epoch=epoch))


def test_the_kept_session_goes_on_with_the_token_that_it_has():
    known = heard(user(1, kept="s"))
    assert not known.is_revoked(Bearer(session_id="s", epoch=0))
    assert known.is_revoked(Bearer(session_id="another", epoch=0))
    assert known.is_revoked(Bearer(session_id=None, epoch=0))


def test_what_ends_everything_ends_the_kept_session_too_in_whatever_order_it_is_heard():
    for entries in ([user(1, kept="s"), user(2)], [user(2), user(1, kept="s")]):
        known = heard(*entries)
        assert known.is_revoked(Bearer(epoch=0))
        assert known.is_revoked(Bearer(epoch=1))
        assert not known.is_revoked(Bearer(epoch=2))


def test_a_session_kept_twice_goes_on_and_one_that_is_not_kept_the_second_time_does_not():
    assert not heard(user(1, kept="s"), user(2, kept="s")).is_revoked(Bearer(epoch=0))
    assert heard(user(1, kept="s"), user(2, kept="t")).is_revoked(Bearer(epoch=0))


def test_being_told_twice_changes_nothing():
    known = heard(session(), user(1, kept="s"))
    before = len(known)
    known.apply(statement(session(), user(1, kept="s")))
    assert len(known) == before


def test_who_changes_a_password_for_sport_fills_no_memory():
    known = heard(*(user(epoch, kept="s") for epoch in range(1, 10_000)))
    assert len(known) == 1
    assert known.is_revoked(Bearer(session_id="other", epoch=9_000))
    assert sum(map(len, known._users.values())) <= 16


def test_an_entry_is_let_go_when_no_token_of_it_can_live():
    known = heard(session(at=NOW), user(1, at=NOW))
    known.expire(now_ms=(NOW + RETAIN) * 1000 + 999)
    assert known.is_revoked(Bearer())
    known.expire(now_ms=(NOW + RETAIN + 1) * 1000)
    assert (known.is_revoked(Bearer()), len(known)) == (False, 0)


def test_a_shorter_life_of_tokens_does_not_shorten_that_of_those_which_are_out():
    known = heard(session(at=NOW))
    known.apply(statement(retain=100))
    known.expire(now_ms=(NOW + 101) * 1000)
    assert known.is_revoked(Bearer())


def test_beyond_its_bound_the_oldest_give_way_to_a_rule_that_refuses_them_all_the_same():
    known = heard(*(session(f"s{number}", at=NOW - 1000 + number) for number in range(10)), max_entries=4)
    assert len(known) == 4
    for number in range(10):
        assert known.is_revoked(Bearer(session_id=f"s{number}", issued_at=NOW - 1000 + number + SETTLE))


def test_a_refresh_after_the_flood_is_all_that_an_honest_client_needs():
    known = heard(*(session(f"s{number}", at=NOW - 200) for number in range(10)), max_entries=4)
    assert known.is_revoked(Bearer(session_id="honest", issued_at=NOW - 200 + SETTLE))
    assert not known.is_revoked(Bearer(session_id="honest", issued_at=NOW - 200 + SETTLE + 1))


def test_what_the_issuer_left_out_is_refused_by_time():
    known = heard(forgotten=NOW - 200)
    assert known.is_revoked(Bearer(issued_at=NOW - 200 + SETTLE))
    assert not known.is_revoked(Bearer(issued_at=NOW - 200 + SETTLE + 1))
    known.expire(now_ms=(NOW - 200 + RETAIN + 1) * 1000)
    assert not known.is_revoked(Bearer(issued_at=0))


def test_it_is_blind_while_even_a_token_of_this_moment_would_be_refused():
    known = heard(forgotten=NOW)
    assert known.is_blind(now_ms=(NOW + SETTLE) * 1000 + 999)
    assert not known.is_blind(now_ms=(NOW + SETTLE + 1) * 1000)
    assert not heard().is_blind(now_ms=NOW * 1000)


def test_an_entry_takes_less_than_400_bytes_so_that_all_of_them_stay_below_40_mb():
    """A tenth of the default bound, after twice as many: measuring takes time."""
    tracemalloc.start()
    try:
        known = KnownRevocations(max_entries=MAX_ENTRIES // 10)
        for start in range(0, 20_000, 1000):
            at, half = NOW - 300 + start // 1000, range(start, start + 500)
            known.apply(
                statement(
                    *(session(f"0b2f6c1e-4d3a-4f5b-8c7d-{number:012x}", at) for number in half),
                    *(user(1, subject=f"9b2f6c1e-4d3a-4f5b-8c7d-{number:012x}", at=at) for number in half),
                )
            )
            known.expire(now_ms=NOW * 1000)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (len(known), MAX_ENTRIES) == (10_000, 100_000)
    assert size < 4_000_000


ENTRIES = st.lists(
    st.builds(user, st.integers(1, 5), kept=st.sampled_from([None, "a", "b"]), at=st.integers(NOW - 5, NOW)), max_size=6
)


@given(ENTRIES, st.integers(0, 5), st.sampled_from(["a", "b", "c"]))
def test_however_entries_of_a_user_are_joined_the_verdict_is_that_of_all_of_them(entries, epoch, session_id):
    # One raise of an epoch is one entry.
    entries = list({one.epoch: one for one in entries}.values())
    dead = any(epoch < one.epoch and one.kept != session_id for one in entries)
    assert heard(*entries).is_revoked(Bearer(session_id=session_id, epoch=epoch)) is dead
