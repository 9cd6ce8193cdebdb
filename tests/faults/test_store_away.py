"""No store at all: nothing listens there, or its name leads nowhere. 503 and when to come back, at each door."""

from __future__ import annotations

import asyncio
import socket

import pytest

from service.settings import load
from tests.support.cases import Cases
from tests.support.journeys.book import STRUCK
from tests.support.journeys.stage import Command, login
from tests.support.strike import assert_sound

each_client = pytest.mark.parametrize("store_client", ["lean", "plain"])


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@each_client
async def test_every_journey_is_told_to_come_back_where_nothing_listens(
    open_world, open_app, environ, through, store_client
):
    cases = Cases()
    async with open_world() as world:
        through(f"http://127.0.0.1:{closed_port()}")
        async with open_app(load({**environ, "KEYTURN_STORE_CLIENT": store_client})) as world.client:
            world.rest()
            for journey in STRUCK:
                with cases.case(str(journey)):
                    request, _ = await journey.prepare(world.place())
                    if isinstance(request, Command):
                        continue
                    answer = await world.send(request)
                    assert answer.status_code == 503, answer.text
                    assert_sound(answer, request, journey)
            assert (await world.client.get("/healthz")).status_code == 200
            assert (await world.client.get("/readyz")).status_code == 503
    cases.verdict()


def _no_name(*_arguments, **_options):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _no_answer(*_arguments, **_options):
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _nothing(*_arguments, **_options):
    return []


@each_client
@pytest.mark.parametrize("resolve", [_no_name, _no_answer, _nothing])
async def test_a_store_whose_name_leads_nowhere_is_a_store_that_is_away(
    environ, open_app, through, *, monkeypatch, resolve, store_client
):
    async def getaddrinfo(*arguments, **options):
        return resolve(*arguments, **options)

    through("http://dynamodb.eu-nowhere-1.amazonaws.test")
    async with open_app(load({**environ, "KEYTURN_STORE_CLIENT": store_client})) as client:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        request = login("ada@example.com", 503)
        answer = await client.post(request.path, json=request.body)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), answer.text
        assert "amazonaws" not in answer.text
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
