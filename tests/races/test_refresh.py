"""A refresh token has at most one successor, whatever arrives at once, whichever worker it reaches."""

from __future__ import annotations

import asyncio

import pytest

from service.store.table import Table
from tests.support.live import LONG, client_of, items_of
from tests.support.people import sign_in, sign_up
from tests.support.wire import open_wires, post_at_once

AT_ONCE = 200
SESSIONS, ADVANCES = 25, 4
ROUNDS = 5
LONG_AGO_MS = 60_000
# Seconds on an idle machine; shared ones and the long variants take their time.
pytestmark = pytest.mark.timeout(900 if LONG else 300)


@pytest.fixture
async def two(workers):
    return [await workers.start() for _ in range(2)]


async def signed_in(worker, mailbox, count):
    """The refresh tokens of one person's sessions."""
    async with client_of(worker) as client:
        await sign_up(client, mailbox)
        return [(await sign_in(client))["refresh_token"] for _ in range(count)]


async def let_time_pass(store):
    """Every session has rotated a minute longer ago, so that it may advance again."""
    for session in await items_of(store, Table.SESSIONS):
        await store.dynamo.client.update_item(
            TableName=store.dynamo.names.of(Table.SESSIONS),
            Key={name: session[name] for name in ("uid", "sid")},
            UpdateExpression="SET rt = rt - :passed",
            ExpressionAttributeValues={":passed": {"N": str(LONG_AGO_MS)}},
        )


async def test_of_two_hundred_refreshes_at_once_all_get_the_same_successor(store, two, mailbox):
    tokens = await signed_in(two[0], mailbox, SESSIONS)
    for advance in range(1, ADVANCES + 1):
        async with open_wires([worker.url for worker in two], AT_ONCE) as wires:
            for index, token in enumerate(tokens):
                answers = await post_at_once(wires, "/v1/refresh", {"refresh_token": token})
                assert {answer.status for answer in answers} == {200}
                successors = {answer.body["refresh_token"] for answer in answers}
                assert len(successors) == 1
                assert token not in successors
                tokens[index] = successors.pop()
        stored = await items_of(store, Table.SESSIONS)
        assert [int(session["g"]["N"]) for session in stored] == [advance] * SESSIONS
        await let_time_pass(store)


async def test_tokens_of_two_generations_at_once_get_the_same_token(two, mailbox):
    """Half of the requests carry the token before the rotation, half the one after it: all are honest, all agree."""
    (old,) = await signed_in(two[0], mailbox, 1)
    async with open_wires([worker.url for worker in two], 100) as wires:
        current = (await wires[0].post("/v1/refresh", {"refresh_token": old})).body["refresh_token"]
        presented = [{"refresh_token": (old, current)[number // 2 % 2]} for number in range(len(wires))]
        calls = zip(wires, presented, strict=True)
        answers = await asyncio.gather(*(wire.insist("/v1/refresh", body) for wire, body in calls))
    assert {answer.status for answer in answers} == {200}
    assert {answer.body["refresh_token"] for answer in answers} == {current}


async def test_stolen_tokens_that_come_with_the_owners_get_nothing_and_end_the_session(store, two, mailbox):
    for stolen in await signed_in(two[0], mailbox, ROUNDS):
        async with open_wires([worker.url for worker in two], 40) as wires:
            current = (await wires[0].insist("/v1/refresh", {"refresh_token": stolen})).body["refresh_token"]
            await let_time_pass(store)
            thieves, owners = await asyncio.gather(
                post_at_once(wires[:20], "/v1/refresh", {"refresh_token": stolen}),
                post_at_once(wires[20:], "/v1/refresh", {"refresh_token": current}),
            )
            assert {answer.status for answer in thieves} == {401}
            successors = {answer.body["refresh_token"] for answer in owners if answer.status == 200}
            assert len(successors) <= 1
            for token in (stolen, current, *successors):
                assert (await wires[0].insist("/v1/refresh", {"refresh_token": token})).status == 401
