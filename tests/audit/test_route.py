"""The list of events over HTTP: for the user, for operators, for nobody else."""

from __future__ import annotations

from datetime import datetime

import pytest

from service.audit.event import Event, EventKind
from service.kernel.ids import SessionId, id_text
from service.store.cursor import Cursors
from service.telemetry.request_facts import RequestFacts, facts_from
from service.users.events import flows
from tests.support.answers import is_problem, shown

FIELDS = {
    "event_id",
    "time",
    "kind",
    "outcome",
    "session_id",
    "actor",
    "address",
    "user_agent",
    "request_id",
    "alarming",
}


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(flows, "_PAGE", 4)


@pytest.fixture
def keep(audit, clock):
    """Events that have happened to somebody, one a millisecond."""

    async def write(person, *outcomes, **facts):
        for outcome in outcomes:
            clock.ms += 1
            with facts_from(lambda: RequestFacts(**facts)):
                event = Event(kind=EventKind.SESSION_END, outcome=outcome, user_id=person.user_id)
                assert await audit.keep(event)

    return write


def path_of(person):
    return f"/v1/users/{id_text(person.user_id)}/events"


async def read_all(client, person, reader):
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        answer = await client.get(path_of(person), params={"cursor": cursor} if cursor else {}, headers=reader.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"events", "next_cursor"}
        found += answer.json()["events"]
        cursor, pages = answer.json()["next_cursor"], pages + 1
    return found, pages


async def test_the_owner_reads_what_happened_the_newest_first(client, keep, ada, clock):
    before_ms = clock.ms
    await keep(ada, "first", "second", request_id="r" * 32, address="192.0.2.0/24", user_agent="Browser")
    events, _ = await read_all(client, ada, ada)
    assert [event["outcome"] for event in events] == ["second", "first"]
    event = events[0]
    assert event.keys() == FIELDS
    assert datetime.fromisoformat(event["time"]).timestamp() * 1000 == before_ms + 2
    assert event["time"].endswith("Z")
    assert (event["address"], event["user_agent"], event["request_id"]) == ("192.0.2.0/24", "Browser", "r" * 32)
    assert (event["session_id"], event["actor"], event["alarming"]) == (None, None, False)


async def test_an_event_names_its_session(client, audit, ada):
    session_id = SessionId(b"s" * 16)
    event = Event(kind=EventKind.SIGN_IN, outcome="ok", user_id=ada.user_id, session_id=session_id)
    assert await audit.keep(event)
    ((found,), _) = await read_all(client, ada, ada)
    assert found["session_id"] == id_text(session_id)


@pytest.mark.usefixtures("small_pages")
async def test_pages_follow_each_other_without_gap_or_double(client, keep, ada):
    await keep(ada, *map(str, range(11)))
    events, pages = await read_all(client, ada, ada)
    assert [event["outcome"] for event in events] == [str(index) for index in reversed(range(11))]
    assert pages == 3


async def test_object_ids_of_others_a_stranger_hears_that_there_is_nobody(client, keep, ada, make_person):
    await keep(ada, "first")
    eve = await make_person(scope="users:read audit:write")
    answer = await client.get(path_of(ada), headers=eve.headers)
    assert is_problem(answer, 404, "not_found")
    nobody = await client.get("/v1/users/9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d/events", headers=eve.headers)
    assert shown(nobody) == shown(answer)


async def test_nobody_reads_without_a_token(client, ada):
    assert is_problem(await client.get(path_of(ada)), 401, "missing_token")


async def test_an_operator_reads_and_the_user_sees_that_it_did(client, keep, ada, operator, clock):
    await keep(ada, "first")
    clock.ms += 1
    events, _ = await read_all(client, ada, operator)
    assert [event["outcome"] for event in events] == ["read", "first"]
    assert (events[0]["kind"], events[0]["actor"]) == ("events_read", id_text(operator.user_id))


@pytest.mark.usefixtures("small_pages")
async def test_an_operators_reading_is_one_event_a_list(client, keep, ada, operator, clock):
    await keep(ada, *map(str, range(10)))
    clock.ms += 1
    _, pages = await read_all(client, ada, operator)
    assert pages == 3
    events, _ = await read_all(client, ada, ada)
    assert [event["kind"] for event in events].count("events_read") == 1


async def test_the_owners_own_reading_is_no_event(client, ada):
    for _ in range(2):
        assert await read_all(client, ada, ada) == ([], 1)


async def test_an_operator_reads_of_an_account_that_is_disabled(client, keep, ada, operator, disable):
    await keep(ada, "first")
    await disable(ada)
    events, _ = await read_all(client, ada, operator)
    assert "first" in {event["outcome"] for event in events}


@pytest.mark.parametrize("who", ["ada", "operator"])
async def test_a_disabled_reader_is_refused_although_the_token_lives(client, ada, make_person, disable, who):
    reader = ada if who == "ada" else await make_person(scope="audit:read")
    await disable(reader)
    answer = await client.get(path_of(ada), headers=reader.headers)
    assert is_problem(answer, 401, "invalid_token")


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("forge", [lambda cursor: cursor[:-4] + "AAAA", lambda _: "x", lambda _: "é"])
async def test_cursor_tampering_is_refused(client, keep, ada, forge):
    await keep(ada, *map(str, range(5)))
    cursor = (await client.get(path_of(ada), headers=ada.headers)).json()["next_cursor"]
    answer = await client.get(path_of(ada), params={"cursor": forge(cursor)}, headers=ada.headers)
    assert is_problem(answer, 400, "invalid_cursor")


async def test_cursor_of_another_list_is_refused(client, ada):
    start = {"pk": "u#" + "00" * 16, "sk": "1"}
    cursors = client.app.state.services.get(Cursors)
    for query in (f"sessions#{ada.user_id.hex()}", "events#" + "00" * 16):
        cursor = cursors.seal(start, query=query)
        answer = await client.get(path_of(ada), params={"cursor": cursor}, headers=ada.headers)
        assert is_problem(answer, 400, "invalid_cursor")


@pytest.mark.usefixtures("small_pages")
async def test_cursor_of_another_users_list_is_refused(client, keep, ada, make_person, operator):
    bob = await make_person()
    await keep(ada, *map(str, range(5)))
    cursor = (await client.get(path_of(ada), headers=operator.headers)).json()["next_cursor"]
    answer = await client.get(path_of(bob), params={"cursor": cursor}, headers=operator.headers)
    assert is_problem(answer, 400, "invalid_cursor")
