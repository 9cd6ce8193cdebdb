"""What is revoked is dead: no refresh that begins after the answer succeeds, on whichever worker."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.live import client_of
from tests.support.people import sign_in, sign_up
from tests.support.wire import open_wires

ROUNDS = 6
STREAMS = 16


@pytest.fixture
async def two(workers):
    return [await workers.start() for _ in range(2)]


@pytest.fixture
async def client(two, mailbox):
    """A client of the first worker, for a person who has an account."""
    async with client_of(two[0]) as client:
        await sign_up(client, mailbox)
        yield client


async def log_out(wire, tokens):
    return await wire.post("/v1/logout", {"refresh_token": tokens["refresh_token"]})


async def log_out_everywhere(wire, tokens):
    return await wire.post("/v1/logout-all", bearer=tokens["access_token"])


async def end_by_its_id(wire, tokens):
    me = await wire.call("GET", "/v1/me", bearer=tokens["access_token"])
    path = f"/v1/users/{me.body['user_id']}/sessions/{tokens['session_id']}"
    return await wire.call("DELETE", path, bearer=tokens["access_token"])


class Refreshing:
    """Many connections that refresh with every token they get, until they are refused one sent after the end."""

    def __init__(self, token):
        self.known = {token}
        self.ended = asyncio.Event()
        self.rotated = asyncio.Event()
        self.refused_under_way = []

    async def on(self, wire):
        while True:
            after = self.ended.is_set()
            answers = [await wire.insist("/v1/refresh", {"refresh_token": token}) for token in tuple(self.known)]
            if after:
                return {answer.status for answer in answers}
            self.known.update(answer.body["refresh_token"] for answer in answers if answer.status == 200)
            if len(self.known) > 1:
                self.rotated.set()
            self.refused_under_way += [answer.status for answer in answers if answer.status != 200]


@pytest.mark.parametrize("end", [log_out, log_out_everywhere, end_by_its_id])
async def test_no_refresh_that_begins_after_the_end_was_acknowledged_succeeds(client, two, end):
    refused_under_way = []
    for _ in range(ROUNDS):
        tokens = await sign_in(client)
        refreshing = Refreshing(tokens["refresh_token"])
        async with open_wires([worker.url for worker in two], STREAMS + 1) as (ending, *wires):
            streams = [asyncio.create_task(refreshing.on(wire)) for wire in wires]
            await refreshing.rotated.wait()
            await asyncio.sleep(0.01)
            assert (await end(ending, tokens)).status == 204
            refreshing.ended.set()
            assert await asyncio.gather(*streams) == [{401}] * STREAMS
        assert len(refreshing.known) == 2, "the first refresh came before the end"
        refused_under_way += refreshing.refused_under_way
    assert set(refused_under_way) == {401}, "no refresh was under way when the session ended"
