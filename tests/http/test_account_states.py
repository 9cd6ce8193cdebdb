"""Every door, for an account in every state that is not active: refused, or the same answer as for nobody.

Nothing of an attempt is left behind, and what was issued before stays dead when the account is active again. There
is no state for an address that is not confirmed (docs/adr/0002): whoever waits for that is nobody yet.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from fastapi.routing import iter_route_contexts

from service.accounts.forgot_password import ForgotPassword
from service.kernel.ids import parse_user_id
from service.store.table import Table
from service.throttle.device_headers import DEVICE_COOKIE, DEVICE_HEADER
from service.users.model import UserState
from service.users.repo import UserRepo
from service.web.cookies import REFRESH_COOKIE
from tests.support.accounts import Person, make_person, new_name, set_state
from tests.support.answers import is_empty, is_problem, shown
from tests.support.live import items_of
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in, sign_up

NEW = "a wholly different long sentence"
SAME_SITE = {"Sec-Fetch-Site": "same-origin", "X-Keyturn-Request": "1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Keys:
    """All that opened doors for somebody a moment ago."""

    person: Person
    tokens: dict
    cookie: str
    device: str
    sign_up_token: str
    reset_token: str
    reset_code: str
    new_email: str
    change_token: str
    change_code: str


@pytest.fixture
async def keys(client, mailbox):
    email, new_email, username = f"{new_name()}@example.com", f"{new_name()}@example.com", new_name()
    await sign_up(client, mailbox, email, username=username)
    tokens = await sign_in(client, email)
    user_id = (await client.get("/v1/me", headers=bearer(tokens))).json()["user_id"]
    await client.post("/v1/password/forgot", json={"email": email})
    body = {"new_email": new_email, "password": PASSWORD}
    assert (await client.post("/v1/email/change", json=body, headers=bearer(tokens))).status_code == 202
    first = await client.post(
        "/v1/login", json={"identifier": email, "password": PASSWORD, "transport": "cookie"}, headers=SAME_SITE
    )
    cookie, device = (first.cookies[name] for name in (REFRESH_COOKIE, DEVICE_COOKIE))
    client.cookies.clear()
    return Keys(
        person=Person(email=email, username=username, user_id=user_id),
        tokens=tokens,
        cookie=f"{REFRESH_COOKIE}={cookie}",
        device=device,
        sign_up_token=await mailbox.token(email),
        reset_token=await mailbox.token(email, count=2),
        reset_code=await mailbox.code(email, count=2),
        new_email=new_email,
        change_token=await mailbox.token(new_email),
        change_code=await mailbox.code(new_email),
    )


def _right(keys, **more):
    return {"json": {"identifier": keys.person.email, "password": PASSWORD, **more}}


def _device_cookie(keys):
    return f"{DEVICE_COOKIE}={keys.device}"


DOORS = {
    ("POST", "/v1/login"): [
        lambda keys: {"json": {"identifier": keys.person.email, "password": PASSWORD}},
        lambda keys: {"json": {"identifier": keys.person.username, "password": PASSWORD}},
        lambda keys: {**_right(keys), "headers": {DEVICE_HEADER: keys.device}},
        lambda keys: {**_right(keys, transport="cookie"), "headers": {**SAME_SITE, "Cookie": _device_cookie(keys)}},
    ],
    ("POST", "/v1/refresh"): [
        lambda keys: {"json": {"refresh_token": keys.tokens["refresh_token"]}},
        lambda keys: {"headers": {**SAME_SITE, "Cookie": keys.cookie}},
    ],
    ("GET", "/v1/me"): [lambda _: {}],
    ("PATCH", "/v1/me"): [lambda _: {"json": {"display_name": "Ghost"}}, lambda _: {"json": {}}],
    ("DELETE", "/v1/me"): [lambda _: {}],
    ("GET", "/v1/me/export"): [lambda _: {}],
    ("GET", "/v1/users/{user_id}"): [lambda _: {}],
    ("GET", "/v1/users/{user_id}/sessions"): [lambda _: {}],
    ("GET", "/v1/users/{user_id}/events"): [lambda _: {}],
    ("DELETE", "/v1/users/{user_id}/sessions/{session_id}"): [lambda _: {}],
    ("POST", "/v1/logout-all"): [lambda _: {}],
    ("POST", "/v1/password/change"): [lambda _: {"json": {"current_password": PASSWORD, "new_password": NEW}}],
    ("POST", "/v1/email/change"): [
        lambda _: {"json": {"new_email": f"{new_name()}@example.com", "password": PASSWORD}}
    ],
    ("POST", "/v1/email/change/confirm"): [lambda keys: {"json": {"token": keys.change_token}}],
    ("POST", "/v1/email/change/confirm-code"): [lambda keys: {"json": {"code": keys.change_code}}],
    ("POST", "/v1/password/reset"): [
        lambda keys: {"json": {"token": keys.reset_token, "new_password": NEW}},
        lambda keys: {"json": {"email": keys.person.email, "code": keys.reset_code, "new_password": NEW}},
    ],
    ("POST", "/v1/email/verify"): [lambda keys: {"json": {"token": keys.sign_up_token}}],
    ("POST", "/v1/password/forgot"): [lambda keys: {"json": {"email": keys.person.email}}],
    ("POST", "/v1/email/resend"): [lambda keys: {"json": {"email": keys.person.email}}],
    ("POST", "/v1/logout"): [lambda keys: {"json": {"refresh_token": keys.tokens["refresh_token"]}}],
    ("POST", "/password/reset"): [
        lambda keys: {"content": f"token={keys.reset_token}&new_password={NEW.replace(' ', '+')}", "headers": FORM}
    ],
    ("POST", "/email/change"): [lambda keys: {"content": f"token={keys.change_token}", "headers": FORM}],
    ("POST", "/email/verify"): [lambda keys: {"content": f"token={keys.sign_up_token}", "headers": FORM}],
}
"""Each door and the requests that would open it, by everything that did before."""

BY_CODE = ("POST", "/v1/email/change/confirm-code")
"""Refuses the code, or the access token of a session that is not there any more."""

REFUSALS = {
    ("POST", "/v1/login"): (401, "invalid_credentials"),
    ("POST", "/v1/refresh"): (401, "invalid_grant"),
    ("POST", "/v1/password/reset"): (400, "invalid_token"),
    ("POST", "/v1/email/verify"): (400, "invalid_token"),
    ("POST", "/v1/email/change/confirm"): (400, "invalid_token"),
    BY_CODE: (400, "invalid_token"),
}
"""Every other door refuses the access token."""

SAME_FOR_ALL = {("POST", "/v1/password/forgot"): 202, ("POST", "/v1/email/resend"): 202, ("POST", "/v1/logout"): 204}
PAGES = {("POST", "/password/reset"), ("POST", "/email/change"), ("POST", "/email/verify")}

OF_NOBODY = {
    ("POST", "/v1/register"),
    ("POST", "/v1/password/check"),
    ("GET", "/v1/revocations"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    *((method, path) for _, path in PAGES for method in ("GET", "HEAD")),
}
"""Belong to no account, or show a page whatever the link."""


def test_every_door_stands_in_the_table(client):
    routes = {
        (method, route.path)
        for route in iter_route_contexts(client.app.routes)
        for method in route.methods
        if route.path != "/openapi.json"
    }
    assert routes == DOORS.keys() | OF_NOBODY


async def ask(client, keys, door, arguments):
    method, path = door
    path = path.format(user_id=keys.person.user_id, session_id=keys.tokens["session_id"])
    headers = {} if door in REFUSALS.keys() | SAME_FOR_ALL.keys() | PAGES else bearer(keys.tokens)
    if door == BY_CODE:
        headers = bearer(keys.tokens)
    return await client.request(method, path, **{**arguments, "headers": {**headers, **arguments.get("headers", {})}})


def is_refused(answer, door):
    if door in SAME_FOR_ALL:
        return answer.status_code == SAME_FOR_ALL[door]
    if door in PAGES:
        return answer.status_code == 400 and "text/html" in answer.headers["content-type"]
    if door == BY_CODE and answer.status_code == 401:
        return is_problem(answer, 401, "invalid_token")
    return is_problem(answer, *REFUSALS.get(door, (401, "invalid_token")))


async def mails(client, mailbox):
    outbox = client.app.state.services.get(ForgotPassword).outbox
    while outbox._tasks:
        await asyncio.wait(set(outbox._tasks))
    return len(mailbox.all()) + len(mailbox.all(devices=True))


async def held(client, keys):
    """What the tables hold of the account, sessions aside: logging out ends one whose account is dead anyhow."""
    store, user_id = client.app.state.services.get(UserRepo), bytes(parse_user_id(keys.person.user_id))
    return [
        item
        for table in (Table.USERS, Table.IDENTITIES)
        for item in await items_of(store, table)
        if item.get("uid", {}).get("B") == user_id
    ]


STATES = [UserState.DISABLED, UserState.LOCKED, UserState.DELETED]
COMMANDS = [("disable",), ("lock",), ("delete", "--yes")]


async def closed_by_owner(client, _keyturn, keys):
    fresh = await sign_in(client, keys.person.email)
    assert is_empty(await client.delete("/v1/me", headers=bearer(fresh)))


def by_command(*words):
    async def bring(_client, keyturn, keys):
        assert (await keyturn("users", *words, keys.person.email))[0] == 0

    return bring


SHUTTERS = {" ".join(words): by_command(*words) for words in COMMANDS} | {"DELETE /v1/me": closed_by_owner}
"""What makes an account one that may not act: the commands as an operator gives them, and its owner."""


@pytest.mark.parametrize("shut", SHUTTERS.values(), ids=SHUTTERS.keys())
async def test_no_door_opens_for_an_account_that_is_not_active(client, mailbox, keyturn, keys, shut):
    await shut(client, keyturn, keys)
    nobody = await client.post("/v1/login", json={"identifier": f"{new_name()}@example.com", "password": PASSWORD})
    before, mailed = await held(client, keys), await mails(client, mailbox)
    for door, requests in DOORS.items():
        for request in requests:
            answer = await ask(client, keys, door, request(keys))
            assert is_refused(answer, door), (door, answer.status_code, answer.text)
            assert "set-cookie" not in answer.headers, door
            if door == ("POST", "/v1/login"):
                assert shown(answer) == shown(nobody)
    assert await held(client, keys) == before, "an attempt left something behind"
    assert await mails(client, mailbox) == mailed, "an attempt mailed somebody"


@pytest.mark.parametrize("words", [("disable", "enable"), ("lock", "unlock")], ids=" and ".join)
async def test_what_was_issued_before_stays_dead_when_the_account_is_active_again(client, keyturn, keys, words):
    for word in words:
        assert (await keyturn("users", word, keys.person.email))[0] == 0
    reading = {("GET", path) for method, path in DOORS if method == "GET" and path != "/v1/me/export"}
    harmless = {("POST", "/v1/login"), ("POST", "/v1/logout-all"), *SAME_FOR_ALL, *reading}
    for door, requests in DOORS.items():
        for request in () if door in harmless else requests:
            answer = await ask(client, keys, door, request(keys))
            assert is_refused(answer, door), (door, answer.status_code, answer.text)
    tokens = await sign_in(client, keys.person.email)
    assert is_empty(await ask(client, keys, ("POST", "/v1/logout-all"), {}))
    assert (await refresh(client, tokens["refresh_token"])).status_code == 200, "an old token ends no new session"


@pytest.mark.parametrize("state", STATES)
async def test_an_operator_that_is_not_active_sees_nobody(client, keys, state):
    operator = await make_person(client, scope="users:read audit:read")
    tokens = await sign_in(client, operator.email)
    if state is UserState.DELETED:
        assert is_empty(await client.delete("/v1/me", headers=bearer(tokens)))
    else:
        await set_state(client, operator, state)
    for path in (f"/v1/users/{keys.person.user_id}", f"/v1/users/{keys.person.user_id}/events"):
        assert is_problem(await client.get(path, headers=bearer(tokens)), 401, "invalid_token")


async def test_who_has_not_confirmed_is_nobody_at_every_door_that_takes_a_name(client, mailbox):
    waiting, nobody = f"{new_name()}@example.com", f"{new_name()}@example.com"
    username = new_name()
    await register(client, waiting, username=username)
    code = await mailbox.code(waiting)
    mailed = await mails(client, mailbox)
    for path, body in (
        ("/v1/login", {"identifier": "NAME", "password": PASSWORD}),
        ("/v1/password/forgot", {"email": "NAME"}),
        ("/v1/password/reset", {"email": "NAME", "code": code, "new_password": NEW}),
    ):
        answers = [
            await client.post(path, json={key: value.replace("NAME", name) for key, value in body.items()})
            for name in (waiting, nobody)
        ]
        assert shown(answers[0]) == shown(answers[1]), path
        assert answers[0].status_code in {400, 401, 202}
    answer = await client.post("/v1/login", json={"identifier": username, "password": PASSWORD})
    assert is_problem(answer, 401, "invalid_credentials")
    assert await mails(client, mailbox) == mailed
