"""Everything that is held about somebody: all of it, for that person alone, and nothing that opens a door."""

from __future__ import annotations

import base64

import pytest

from service.accounts.export import ExportAccount
from service.audit.event import Event, EventKind
from service.kernel.ids import parse_user_id
from service.passwords.repo import SORT
from service.sessions.model import Device, SignInFacts
from service.signin.flows import SignIn
from service.store.operations import Put
from service.store.table import Table
from service.users.repo import UserRepo
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_problem
from tests.support.live import items_of
from tests.support.people import PASSWORD, bearer, refresh, sign_in

EPOCH_TIME = "2027-01-15T08:00:00Z"


async def export(client, tokens, cursor=None):
    params = {} if cursor is None else {"cursor": cursor}
    return await client.get("/v1/me/export", params=params, headers=bearer(tokens))


async def all_pages(client, tokens):
    pages = [(await export(client, tokens)).json()]
    while (cursor := pages[-1]["next_cursor"]) is not None:
        answer = await export(client, tokens, cursor)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["sessions"]) <= 50
        assert len(answer.json()["events"]) <= 50
        pages.append(answer.json())
    return pages


async def open_many(client, person, count):
    services = client.app.state.services
    user = await services.get(UserRepo).load(parse_user_id(person.user_id))
    facts = SignInFacts(client_id="first-party", scope="", amr=("pwd",), acr="aal1", auth_time_seconds=1)
    open_session = services.get(SignIn).open_session
    device = Device(name=None, user_agent=None, address=None)
    now_ms = services.get(SignIn).clock.now_ms()
    return [(await open_session(user, facts, device, now_ms=now_ms)).session_id for _ in range(count)]


@pytest.fixture
def audit(client):
    return client.app.state.services.get(ExportAccount).audit


async def test_an_export_says_who_one_is_how_one_signs_in_and_what_is_pending(client, mailbox, ada, tokens):
    headers = bearer(tokens)
    await client.patch("/v1/me", json={"display_name": "Ada Lovelace", "locale": "de"}, headers=headers)
    new = f"{new_name()}@example.com"
    await client.post("/v1/password/forgot", json={"email": ada.email})
    await client.post("/v1/email/change", json={"new_email": new, "password": PASSWORD}, headers=headers)
    answer = await export(client, tokens)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"user", "credentials", "pending", "sessions", "events", "next_cursor"}
    assert body["user"] == {
        "user_id": ada.user_id,
        "email": ada.email,
        "username": ada.username,
        "display_name": "Ada Lovelace",
        "locale": "de",
        "state": "active",
        "scope": "",
        "created_at": EPOCH_TIME,
        "email_verified_at": EPOCH_TIME,
    }
    assert body["credentials"] == [{"kind": "password", "set_at": EPOCH_TIME}]
    later = "2027-01-15T08:30:00Z"
    assert body["pending"] == [
        {"kind": "password_reset", "new_email": None, "expires_at": later},
        {"kind": "email_change", "new_email": new, "expires_at": later},
    ]
    assert body["next_cursor"] is None


async def test_an_export_tells_of_sessions_their_devices_and_their_ends(client, ada, clock):
    client.headers["User-Agent"] = "Browser/1.0"
    ended = await sign_in(client, ada.email, device_name="Ada's old phone")
    clock.advance(seconds=60)
    await client.post("/v1/logout", json={"refresh_token": ended["refresh_token"]})
    alive = await sign_in(client, ada.email, device_name="Ada's phone")
    sessions = {one["session_id"]: one for one in (await export(client, alive)).json()["sessions"]}
    assert sessions[ended["session_id"]] == {
        "session_id": ended["session_id"],
        "state": "ended",
        "client_id": "first-party",
        "scope": "",
        "amr": ["pwd"],
        "acr": "aal1",
        "authenticated_at": EPOCH_TIME,
        "created_at": EPOCH_TIME,
        "last_used_at": EPOCH_TIME,
        "idle_expires_at": "2027-02-14T08:00:00Z",
        "expires_at": "2027-04-15T08:00:00Z",
        "device_name": "Ada's old phone",
        "user_agent": "Browser/1.0",
        "address": "127.0.0.0/24",
        "ended_at": "2027-01-15T08:01:00Z",
        "ended_for": "logout",
    }
    assert (sessions[alive["session_id"]]["state"], len(sessions)) == ("alive", 2)


async def test_nothing_is_left_out_however_much_there_is(client, audit, ada, tokens):
    made = await open_many(client, ada, 120)
    for number in range(130):
        kind = EventKind.PROFILE_CHANGE
        await audit.keep(Event(kind=kind, outcome=f"n{number}", user_id=parse_user_id(ada.user_id)))
    pages = await all_pages(client, tokens)
    sessions = [one["session_id"] for page in pages for one in page["sessions"]]
    assert sorted(sessions) == sorted([*made, tokens["session_id"]])
    events = [one for page in pages for one in page["events"]]
    assert len({one["event_id"] for one in events}) == len(events)
    assert {f"n{number}" for number in range(130)} <= {one["outcome"] for one in events}
    assert [one["kind"] for one in events].count("account_export") == 1, "once an export, not once a page"
    assert all(page["user"]["user_id"] == ada.user_id for page in pages)


async def test_a_credential_that_this_release_does_not_know_is_said_to_be_there(client, ada, tokens):
    dynamo = client.app.state.services.get(UserRepo).dynamo
    item = {"uid": bytes(parse_user_id(ada.user_id)), "sk": "C#pk#secret-handle", "x": "secret-key"}
    await dynamo.write(Put(table=Table.USERS, item=item))
    answer = await export(client, tokens)
    assert sorted(one["kind"] for one in answer.json()["credentials"]) == ["other", "password"]
    assert "secret" not in answer.text


SECRETS = {"ph", "h", "n", "ek", "uk", "rd", "rc", "cd", "cc", "ck"}
"""Attributes whose values are hashes, digests, nonces and look-up keys."""


async def test_no_hash_digest_nonce_or_key_is_exported(client, mailbox, ada, tokens, clock):
    await client.post("/v1/password/forgot", json={"email": ada.email})
    body = {"new_email": f"x{ada.email}", "password": PASSWORD}
    await client.post("/v1/email/change", json=body, headers=bearer(tokens))
    clock.advance(seconds=60)
    renewed = (await refresh(client, tokens["refresh_token"])).json()
    answer = await export(client, renewed)
    store = client.app.state.services.get(UserRepo)
    mine = {base64.b64encode(parse_user_id(ada.user_id)), bytes(parse_user_id(ada.user_id))}
    items = [
        item
        for table in (Table.USERS, Table.SESSIONS)
        for item in await items_of(store, table)
        if item["uid"]["B"] in mine
    ]
    found = {name for item in items for name in item} & SECRETS
    assert found == SECRETS, "the test looks for what is no longer there"
    for item in items:
        for name in SECRETS & item.keys():
            ((kind, raw),) = item[name].items()
            spelled = {raw} if kind == "S" else {raw.hex(), base64.b64encode(raw).decode(), repr(raw)[2:-1]}
            assert not [text for text in spelled if text in answer.text], name
    assert SORT not in answer.text
    for secret in (renewed["refresh_token"], renewed["access_token"], await mailbox.token(ada.email)):
        assert secret not in answer.text


async def test_nobody_else_is_in_an_export_not_even_who_has_read_ones_events(client, ada, tokens):
    eve = await make_person(client, scope="audit:read")
    client.headers["User-Agent"] = "Eves-Browser/6.6"
    eves = await sign_in(client, eve.email, device_name="Eve's tablet")
    await client.patch("/v1/me", json={"display_name": "Eve Example"}, headers=bearer(eves))
    read = await client.get(f"/v1/users/{ada.user_id}/events", headers=bearer(eves))
    assert read.status_code == 200
    client.headers["User-Agent"] = "Browser/1.0"
    text = (await export(client, tokens)).text
    (event,) = [
        one for page in await all_pages(client, tokens) for one in page["events"] if one["kind"] == "events_read"
    ]
    assert (event["actor"], event["address"], event["user_agent"]) == ("another account", None, None)
    for told in (eve.user_id, eve.email, eve.username, "Eve", eves["session_id"], read.headers["x-request-id"]):
        assert told not in text


async def test_a_cursor_of_somebody_elses_export_or_of_another_list_is_refused(client, ada, tokens):
    bob = await make_person(client)
    bobs = await sign_in(client, bob.email)
    await open_many(client, ada, 50)
    mine = (await export(client, tokens)).json()["next_cursor"]
    listed = (await client.get(f"/v1/users/{ada.user_id}/sessions", headers=bearer(tokens))).json()["next_cursor"]
    assert is_problem(await export(client, bobs, mine), 400, "invalid_cursor")
    assert is_problem(await export(client, tokens, listed), 400, "invalid_cursor")
    assert is_problem(await export(client, tokens, "A" * 64), 400, "invalid_cursor")


async def test_who_may_not_act_exports_nothing_and_leaves_no_event(client, audit, ada, tokens):
    await set_state(client, ada)
    assert is_problem(await export(client, tokens), 401, "invalid_token")
    events = client.app.state.services.get(ExportAccount).events
    page = await events.page(parse_user_id(ada.user_id), limit=50, start=None, now_ms=0)
    assert "account_export" not in {event.kind for event in page.events}
