from __future__ import annotations

import pytest

from service.audit.event import Agent, EventKind
from service.audit.keeping import Places, places
from tests.unit.audit.conftest import OPERATOR, USER, make_event

LOG = Places(user=False, feed=False)
OWN = Places(user=True, feed=False)
FEED = Places(user=False, feed=True)
BOTH = Places(user=True, feed=True)

# A kind that is missing here has no decision: add the line when you add the kind.
OF_A_SUCCESS = {
    EventKind.REGISTER: ("kept", LOG),
    EventKind.EMAIL_VERIFY: ("ok", OWN),
    EventKind.EMAIL_RESEND: ("ok", LOG),
    EventKind.EMAIL_CHANGE_ASK: ("ok", OWN),
    EventKind.EMAIL_CHANGE: ("ok", OWN),
    EventKind.SIGN_IN: ("ok", OWN),
    EventKind.REFRESH: ("rotated", LOG),
    EventKind.LOGOUT: ("ended", OWN),
    EventKind.LOGOUT_ALL: ("ended", OWN),
    EventKind.SESSION_END: ("ended", OWN),
    EventKind.PASSWORD_FORGOT: ("ok", LOG),
    EventKind.PASSWORD_RESET: ("ok", OWN),
    EventKind.PASSWORD_CHANGE: ("ok", OWN),
    EventKind.PASSWORD_REHASH: ("upgraded", LOG),
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


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (EventKind.SIGN_IN, "mismatch"),
        (EventKind.SIGN_IN, "user_disabled"),
        (EventKind.PASSWORD_FORGOT, "ok"),
        (EventKind.EMAIL_RESEND, "ok"),
        (EventKind.LOGOUT, "had_ended"),
        (EventKind.REFRESH, "revoked"),
    ],
)
def test_log_flooding_what_strangers_can_cause_at_will_costs_no_write(kind, outcome):
    assert places(make_event(kind=kind, outcome=outcome, user_id=USER)) == LOG
