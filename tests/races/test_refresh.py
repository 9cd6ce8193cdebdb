"""A refresh token has at most one successor, whatever arrives at once, whichever worker it reaches."""

from __future__ import annotations

import asyncio
import time

import pytest

from service.store.table import Table
from tests.support.live import LONG, client_of, items_of
from tests.support.people import sign_in, sign_up
from tests.support.wire import open_wires, post_at_once

AT_ONCE = 200
SESSIONS, ADVANCES = (25, 20) if LONG else (25, 4)
GRACE_SECONDS, DEADLINE_SECONDS = 4, 3
COALESCE_SECONDS = GRACE_SECONDS + DEADLINE_SECONDS


@pytest.fixture
async def two(environ, workers):
    """Two workers that let a session advance every seven seconds; no skew, since they share a clock."""
    times = {
        "KEYTURN_REFRESH_GRACE_SECONDS": str(GRACE_SECONDS),
        "KEYTURN_CLOCK_SKEW_SECONDS": "0",
        "KEYTURN_STORE_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
    }
    return [await workers.start(**times) for _ in range(2)]


async def signed_in(worker, mailbox, count):
    """The refresh tokens of one person's sessions."""
    async with client_of(worker) as client:
        await sign_up(client, mailbox)
        return [(await sign_in(client))["refresh_token"] for _ in range(count)]


async def test_of_two_hundred_refreshes_at_once_all_get_the_same_successor(store, two, mailbox):
    tokens = await signed_in(two[0], mailbox, SESSIONS)
    may_advance = [0.0] * SESSIONS
    for advance in range(1, ADVANCES + 1):
        await asyncio.sleep(may_advance[0] - time.monotonic())
        async with open_wires([worker.url for worker in two], AT_ONCE) as wires:
            for index, token in enumerate(tokens):
                await asyncio.sleep(may_advance[index] - time.monotonic())
                answers = await post_at_once(wires, "/v1/refresh", {"refresh_token": token})
                may_advance[index] = time.monotonic() + COALESCE_SECONDS
                assert {answer.status for answer in answers} == {200}
                successors = {answer.body["refresh_token"] for answer in answers}
                assert len(successors) == 1
                assert token not in successors
                tokens[index] = successors.pop()
        stored = await items_of(store, Table.SESSIONS)
        assert [int(session["g"]["N"]) for session in stored] == [advance] * SESSIONS


async def test_tokens_of_two_generations_at_once_get_the_same_token(two, mailbox):
    """Half of the requests carry the token before the rotation, half the one after it: all are honest, all agree."""
    (old,) = await signed_in(two[0], mailbox, 1)
    async with open_wires([worker.url for worker in two], 100) as wires:
        current = (await wires[0].post("/v1/refresh", {"refresh_token": old})).body["refresh_token"]
        presented = [(old, current)[number // 2 % 2] for number in range(len(wires))]
        answers = await asyncio.gather(
            *(wire.post("/v1/refresh", {"refresh_token": token}) for wire, token in zip(wires, presented, strict=True))
        )
    assert {answer.status for answer in answers} == {200}
    assert {answer.body["refresh_token"] for answer in answers} == {current}
