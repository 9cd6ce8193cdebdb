from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from service.audit.event import EventKind
from service.audit.log import REUSE, AuditLog
from service.kernel.ids import SessionId
from service.sessions.rotation import Refusal
from service.telemetry.metrics import Metrics
from service.telemetry.request_facts import RequestFacts, facts_from
from tests.unit.audit.conftest import OPERATOR, make_event


@pytest.fixture
def metrics():
    return Metrics(registry=CollectorRegistry())


def test_a_line_says_who_what_from_where_and_in_which_session(metrics, lines):
    with facts_from(lambda: RequestFacts(address="192.0.2.0/24", user_agent="Browser/1.0")):
        AuditLog(metrics=metrics).record(make_event(session_id=SessionId(b"s" * 16), actor=OPERATOR))
    (line,) = lines
    assert line == {
        "event": "security_event",
        "log_level": "info",
        "kind": "sign_in",
        "outcome": "ok",
        "user_id": "75757575-7575-7575-7575-757575757575",
        "session_id": "73737373-7373-7373-7373-737373737373",
        "actor": "6f6f6f6f-6f6f-6f6f-6f6f-6f6f6f6f6f6f",
        "address": "192.0.2.0/24",
        "user_agent": "Browser/1.0",
    }


def test_an_alarming_event_is_a_warning_and_an_alarm(metrics, lines):
    AuditLog(metrics=metrics).record(make_event(alarming=True))
    assert lines[0]["log_level"] == "warning"
    labels = {"kind": "sign_in", "outcome": "ok"}
    assert metrics.registry.get_sample_value("keyturn_security_alarms_total", labels) == 1


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (make_event(), "keyturn_security_events_total", {"kind": "sign_in", "outcome": "ok"}),
        (make_event(outcome="mismatch"), "keyturn_sign_ins_total", {"outcome": "mismatch"}),
        (make_event(kind=EventKind.REFRESH, outcome="grace"), "keyturn_refreshes_total", {"outcome": "grace"}),
        (make_event(kind=EventKind.REFRESH, outcome="reuse"), "keyturn_refresh_reuses_total", {}),
        (make_event(kind=EventKind.THROTTLE, outcome="account"), "keyturn_throttled_total", {"lane": "account"}),
        (make_event(kind=EventKind.LOGOUT), "keyturn_security_events_total", {"kind": "logout", "outcome": "ok"}),
    ],
)
def test_each_kind_is_counted_under_its_name(metrics, lines, event, name, labels):
    AuditLog(metrics=metrics).record(event)
    assert metrics.registry.get_sample_value(name, labels) == 1


def test_a_refresh_that_is_no_reuse_is_not_counted_as_one(metrics, lines):
    AuditLog(metrics=metrics).record(make_event(kind=EventKind.REFRESH, outcome="grace"))
    assert metrics.registry.get_sample_value("keyturn_refresh_reuses_total") == 0


def test_reuse_has_the_name_that_the_rule_of_rotation_gives_it():
    assert Refusal.REUSE.value == REUSE


@pytest.mark.parametrize("kind", [EventKind.LOGOUT, EventKind.KEY_ROTATE])
def test_outside_of_a_request_nothing_is_made_up(metrics, lines, kind):
    AuditLog(metrics=metrics).record(make_event(kind=kind, user_id=None))
    assert {lines[0][name] for name in ("user_id", "session_id", "actor", "address", "user_agent")} == {None}
