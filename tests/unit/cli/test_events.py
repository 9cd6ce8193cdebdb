"""``keyturn events``: the feed of the shards, merged, as lines that a program reads."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from service.audit import items
from service.audit.entry import Entry, EventIds
from service.audit.event import Agent, Event, EventKind
from service.audit.repo import EventRepo, puts
from service.base import open_base
from service.kernel.ids import UserId, id_text
from service.settings import load
from service.telemetry.metrics import Metrics
from service.telemetry.request_facts import RequestFacts
from tests.support.clock import ManualClock

ADA = UserId(b"a" * 16)
DAY_MS = 86_400_000
MIDNIGHT_MS = 1_799_971_200_000
"""2027-01-15, in UTC."""
AFTER_ALL_MS = MIDNIGHT_MS + 10 * DAY_MS
FACTS = RequestFacts(address="203.0.113.0/24", user_agent="curl/8", request_id="7d061fd42247d8e3")


def operators(kind=EventKind.USER_LOCK, **changes):
    return Event(**({"kind": kind, "outcome": "ok", "user_id": ADA, "actor": Agent.OPERATOR} | changes))


@pytest.fixture
def keep(keyturn, environ, monkeypatch):
    """Write events at their times, as services that ran then did."""
    clock = ManualClock(ms=AFTER_ALL_MS)
    monkeypatch.setattr("service.base.SystemClock", lambda: clock)

    @asynccontextmanager
    async def opened():
        async with open_base(load(environ), Metrics(registry=CollectorRegistry())) as base:
            yield base

    async def write(*timed):
        async with opened() as base:
            for ms, event in timed:
                ids = EventIds(clock=ManualClock(ms=ms), entropy=base.entropy)
                event_id, time_ms = ids.next()
                entry = Entry(event_id=event_id, time_ms=time_ms, event=event, facts=FACTS)
                for put in puts(entry, retention_seconds=400 * 86_400):
                    assert await EventRepo(dynamo=base.dynamo).append(put)

    return lambda *timed: asyncio.run(write(*timed))


def lines_of(result):
    status, out, err = result
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_a_day_is_printed_the_oldest_first_from_all_its_shards(keyturn, keep):
    times = [MIDNIGHT_MS + 1000 * number for number in range(60)]
    late_first = [(ms, operators(outcome=str(ms))) for ms in reversed(times)]
    keep(
        (MIDNIGHT_MS - 1, operators(outcome="the day before")),
        *late_first,
        (MIDNIGHT_MS + DAY_MS, operators(outcome="the day after")),
        (MIDNIGHT_MS, Event(kind=EventKind.SIGN_IN, outcome="ok", user_id=ADA)),
    )
    found = lines_of(keyturn("events", "--day", "2027-01-15"))
    assert [event["outcome"] for event in found] == [str(ms) for ms in times]
    assert len({event["event_id"][-1] for event in found}) > items.FEED_SHARDS // 2


def test_a_line_says_who_what_when_and_from_where(keyturn, keep):
    keep((MIDNIGHT_MS + 1, operators(alarming=True)))
    (found,) = lines_of(keyturn("events", "--day", "2027-01-15"))
    assert len(found.pop("event_id")) == 35
    assert found == {
        "time": "2027-01-15T00:00:00.001000Z",
        "kind": "user_lock",
        "user_id": id_text(ADA),
        "outcome": "ok",
        "session_id": None,
        "actor": "operator",
        "address": "203.0.113.0/24",
        "user_agent": "curl/8",
        "request_id": "7d061fd42247d8e3",
        "alarming": True,
    }


@pytest.mark.parametrize(
    ("options", "hours"),
    [
        (["--since", "2027-01-15T06:00:00Z", "--until", "2027-01-16T18:00"], [6, 12, 18, 24, 30, 36]),
        (["--since", "2027-01-16T18:00:00", "--until", "2027-01-16T18:00:01"], [42]),
        (["--since", "2027-01-16"], [24, 30, 36, 42]),
        (["--since", "2027-01-17", "--until", "2027-01-16"], []),
        ([], []),
    ],
)
def test_a_span_crosses_midnight_holds_its_first_moment_and_not_its_last(keyturn, keep, options, hours):
    keep(*((MIDNIGHT_MS + hour * 3_600_000, operators(outcome=str(hour))) for hour in range(0, 48, 6)))
    assert [int(event["outcome"]) for event in lines_of(keyturn("events", *options))] == hours


def test_today_is_what_is_printed_when_nothing_is_said(keyturn, keep):
    keep((AFTER_ALL_MS - 1, operators(outcome="yesterday")), (AFTER_ALL_MS, operators(outcome="today")))
    assert [event["outcome"] for event in lines_of(keyturn("events"))] == ["today"]


def test_kinds_are_chosen_and_what_happened_to_nobody_is_a_list_of_its_own(keyturn, keep):
    keep(
        (MIDNIGHT_MS, operators(EventKind.USER_LOCK)),
        (MIDNIGHT_MS + 1, operators(EventKind.KEY_ROTATE, user_id=None)),
        (MIDNIGHT_MS + 2, operators(EventKind.USER_UNLOCK)),
        (MIDNIGHT_MS + 3, Event(kind=EventKind.SIGN_IN, outcome="unknown")),
    )
    day = ["--day", "2027-01-15"]
    chosen = lines_of(keyturn("events", *day, "--kind", "user_lock", "--kind", "key_rotate"))
    assert [event["kind"] for event in chosen] == ["user_lock", "key_rotate"]
    assert [event["kind"] for event in lines_of(keyturn("events", *day, "--nobody"))] == ["sign_in"]
    assert lines_of(keyturn("events", *day, "--nobody", "--kind", "user_lock")) == []


def test_what_an_operator_did_a_moment_ago_is_printed(keyturn):
    create = ("users", "create", "--email", "ada@example.com", "--password-stdin")
    status, user_id, _ = keyturn(*create, stdin="a long enough sentence\n")
    assert status == 0
    assert keyturn("users", "lock", "ada@example.com")[0] == 0
    found = lines_of(keyturn("events"))
    assert [(event["kind"], event["user_id"]) for event in found] == [
        ("user_create", user_id.strip()),
        ("user_lock", user_id.strip()),
    ]
