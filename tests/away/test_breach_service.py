"""The range API is away, in each way that a service can be: what the setting says happens, at every door."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from service.passwords import breach_range
from service.settings import load
from tests.support.accounts import make_person, new_name
from tests.support.answers import is_problem
from tests.support.people import PASSWORD, bearer, register, sign_in
from tests.support.range_service import OK, serving

NEW = "a wholly different long sentence"
COMMON = "dragonbaseball12"


@asynccontextmanager
async def nobody_there():
    async with serving(OK) as (url, _):
        pass
    yield url, []


AWAY = {
    "nobody listens": nobody_there,
    "it says nothing": lambda: serving(b"", hold=True),
    "it says 503": lambda: serving(b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"),
    "it says something else": lambda: serving(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
    "it sends us elsewhere": lambda: serving(b"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
}


async def at_register(client, _mailbox, password):
    return await register(client, f"{new_name()}@example.com", password=password)


async def at_change(client, _mailbox, password):
    person = await make_person(client)
    body = {"current_password": PASSWORD, "new_password": password}
    headers = bearer(await sign_in(client, person.email))
    return await client.post("/v1/password/change", json=body, headers=headers)


async def at_reset(client, mailbox, password):
    person = await make_person(client)
    await client.post("/v1/password/forgot", json={"email": person.email})
    body = {"token": await mailbox.token(person.email), "new_password": password}
    return await client.post("/v1/password/reset", json=body)


async def at_check(client, _mailbox, password):
    return await client.post("/v1/password/check", json={"password": password})


DOORS = (at_register, at_change, at_reset, at_check)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch):
    """So that a silent service costs a test a tenth of a second for each door."""
    monkeypatch.setattr(breach_range, "_TOTAL_SECONDS", 0.1)


@pytest.fixture
def online(environ, open_app):
    def start(url, away):
        names = {"KEYTURN_BREACH_LIST": "online", "KEYTURN_BREACH_URL": url, "KEYTURN_BREACH_AWAY": away}
        return open_app(load({**environ, **names}))

    return start


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY.keys())
async def test_with_offline_the_embedded_list_decides_at_every_door(online, mailbox, away):
    async with away() as (url, _), online(url, "offline") as client:
        for door in DOORS:
            assert (await door(client, mailbox, NEW)).status_code in {200, 202, 204}, door.__name__
            refused = await door(client, mailbox, COMMON)
            why = refused.json().get("errors") or refused.json().get("reasons")
            assert [one["code"] for one in why] == ["password_breached"], door.__name__


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY.keys())
async def test_with_refuse_no_door_sets_a_password(online, mailbox, clock, away):
    async with away() as (url, _), online(url, "refuse") as client:
        for door in DOORS:
            refused = await door(client, mailbox, NEW)
            assert is_problem(refused, 503, "unavailable"), door.__name__
            assert int(refused.headers["retry-after"]) > 0


async def test_what_was_refused_has_changed_nothing_and_goes_through_when_the_service_is_back(
    online, mailbox, clock, environ, open_app
):
    answers = [b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"]

    async def talk(reader, writer):
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers[-1])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with online(url, "refuse") as client:
        person = await make_person(client)
        await client.post("/v1/password/forgot", json={"email": person.email})
        body = {"token": await mailbox.token(person.email), "new_password": NEW}
        for _ in range(4):
            assert is_problem(await client.post("/v1/password/reset", json=body), 503, "unavailable")
        await sign_in(client, person.email)
        answers.append(OK)
        assert is_problem(await client.post("/v1/password/reset", json=body), 503, "unavailable"), "it is left alone"
        clock.advance(seconds=30)
        assert (await client.post("/v1/password/reset", json=body)).status_code == 204
        await sign_in(client, person.email, password=NEW)
    server.close()
