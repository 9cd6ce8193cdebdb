from __future__ import annotations

from dataclasses import fields

import pytest

from service.audit.event import Agent, EventKind
from service.audit.keeping import Places, is_anybodys, places
from service.passwords.model import Why
from service.throttle.limits import DEFAULT_LIMITS
from service.users.model import UserState
from tests.unit.audit.conftest import OPERATOR, USER, make_event

LOG = Places(user=False, feed=False)
OWN = Places(user=True, feed=False)
FEED = Places(user=False, feed=True)
BOTH = Places(user=True, feed=True)
NOBODY = Places(user=False, feed=False, nobody=True)

# A kind that is missing here has no decision: add the line when you add the kind.
OF_A_SUCCESS = {
    EventKind.REGISTER: ("email_taken", OWN),
    EventKind.EMAIL_VERIFY: ("ok", OWN),
    EventKind.EMAIL_RESEND: ("mailed", OWN),
    EventKind.EMAIL_CHANGE_ASK: ("ok", OWN),
    EventKind.EMAIL_CHANGE: ("ok", OWN),
    EventKind.SIGN_IN: ("ok", OWN),
    EventKind.REFRESH: ("rotated", LOG),
    EventKind.LOGOUT: ("ended", OWN),
    EventKind.LOGOUT_ALL: ("ended", OWN),
    EventKind.SESSION_END: ("ended", OWN),
    EventKind.PASSWORD_FORGOT: ("mailed", OWN),
    EventKind.PASSWORD_RESET: ("ok", OWN),
    EventKind.PASSWORD_CHANGE: ("ok", OWN),
    EventKind.PASSWORD_REHASH: ("upgraded", OWN),
    EventKind.PROFILE_CHANGE: ("ok", OWN),
    EventKind.ACCOUNT_EXPORT: ("ok", OWN),
    EventKind.ACCOUNT_CLOSE: ("ok", OWN),
    EventKind.USER_CREATE: ("ok", BOTH),
    EventKind.USER_DISABLE: ("ok", BOTH),
    EventKind.USER_ENABLE: ("ok", BOTH),
    EventKind.USER_LOCK: ("ok", BOTH),
    EventKind.USER_UNLOCK: ("ok", BOTH),
    EventKind.EVENTS_READ: ("read", BOTH),
    EventKind.THROTTLE: ("account", OWN),
    EventKind.KEY_ROTATE: ("ok", BOTH),
    EventKind.KEY_RETIRE: ("ok", BOTH),
}


@pytest.mark.parametrize("kind", EventKind)
def test_each_kind_has_its_place(kind):
    outcome, expected = OF_A_SUCCESS[kind]
    assert places(make_event(kind=kind, outcome=outcome)) == expected


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_of_nobody_is_in_nobodys_partition(kind):
    assert not places(make_event(kind=kind, user_id=None)).user


@pytest.mark.parametrize("kind", EventKind)
def test_an_alarming_event_is_in_the_feed_and_with_its_user(kind):
    assert places(make_event(kind=kind, outcome="whatever", alarming=True)) == BOTH
    assert places(make_event(kind=kind, outcome="whatever", alarming=True, user_id=None)) == FEED


@pytest.mark.parametrize("actor", [OPERATOR, Agent.OPERATOR, Agent.SERVICE])
@pytest.mark.parametrize("kind", EventKind)
def test_what_somebody_else_did_is_in_the_feed(kind, actor):
    assert places(make_event(kind=kind, actor=actor)) == BOTH


BOUNDED = [
    (EventKind.SIGN_IN, "unknown"),
    (EventKind.SIGN_IN, "mismatch"),
    (EventKind.SIGN_IN, "user_disabled"),
    (EventKind.REGISTER, "kept"),
    (EventKind.EMAIL_RESEND, "nothing_waits"),
    (EventKind.PASSWORD_FORGOT, "mailed"),
    (EventKind.PASSWORD_FORGOT, "no_account"),
    (EventKind.THROTTLE, "account"),
    (EventKind.THROTTLE, "code"),
]


@pytest.mark.parametrize(("kind", "outcome"), BOUNDED)
def test_enumeration_what_strangers_cause_is_one_write_whether_or_not_there_is_an_account(kind, outcome):
    known, unknown = (make_event(kind=kind, outcome=outcome, user_id=user_id) for user_id in (USER, None))
    assert places(known) == OWN
    assert places(unknown) == NOBODY
    assert is_anybodys(known)
    assert is_anybodys(unknown)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.PASSWORD_FORGOT, "limited"),
        (EventKind.EMAIL_RESEND, "limited"),
        (EventKind.REGISTER, "limited"),
        (EventKind.SIGN_IN, "a word that nobody has decided about"),
        (EventKind.LOGOUT, "had_ended"),
        (EventKind.REFRESH, "revoked"),
    ],
)
@pytest.mark.parametrize("user_id", [USER, None])
def test_log_flooding_what_nothing_bounds_costs_no_write(kind, outcome, user_id):
    assert places(make_event(kind=kind, outcome=outcome, user_id=user_id)) == LOG


@pytest.mark.parametrize("kind", [EventKind.EMAIL_VERIFY, EventKind.PASSWORD_RESET, EventKind.EMAIL_CHANGE])
def test_log_flooding_tokens_that_do_not_work_cost_no_write(kind):
    assert places(make_event(kind=kind, outcome="unknown", user_id=None)) == LOG


def test_every_refusal_of_a_sign_in_has_its_place():
    """A new word of the checker or of the states is decided about, and not lost by being unknown."""
    outcomes = {why.value for why in Why if why is not Why.MATCH}
    outcomes |= {f"user_{state.value}" for state in UserState if state is not UserState.ACTIVE}
    for outcome in outcomes:
        assert places(make_event(kind=EventKind.SIGN_IN, outcome=outcome)) == OWN


def test_every_lane_and_quota_has_its_place():
    limits = (getattr(DEFAULT_LIMITS, field.name) for field in fields(DEFAULT_LIMITS))
    asked_by_strangers = {DEFAULT_LIMITS.mail_to_address.name, DEFAULT_LIMITS.mail_from_network.name}
    for limit in limits:
        expected = LOG if limit.name in asked_by_strangers else OWN
        assert places(make_event(kind=EventKind.THROTTLE, outcome=limit.name)) == expected
