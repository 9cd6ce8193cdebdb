"""Connections: kept, closed by the other side, cut, late; and no call ever gets the answer of another."""

from __future__ import annotations

import asyncio
import zlib

import pytest
from botocore.exceptions import ClientError

from service.store.errors import StoreUnavailable
from service.store.lean.connection import ConnectionBroken
from service.store.lean.pool import Endpoint
from service.store.operations import Get, Update
from service.store.table import Table
from tests.support.lean import GET, ITEM, opened, port_over
from tests.support.stub_dynamo import HANG_UP, Reply, ok, refusal


async def test_a_connection_is_used_again(stub, client):
    stub.plan(ok({}), ok({}), refusal("ValidationException"), ok({}))
    for _ in range(2):
        await client.get_item(**GET)
    with pytest.raises(ClientError):
        await client.get_item(**GET)
    await client.get_item(**GET)
    assert stub.connections == 1


async def test_calls_at_the_same_time_have_connections_of_their_own_and_no_more_than_are_allowed(stub):
    gate = asyncio.Event()
    stub.plan(*(Reply(ok({"Item": {"n": {"N": str(number)}}}).raw, waits=gate) for number in range(7)))
    async with opened(stub, connections=3) as client:
        calls = [asyncio.create_task(client.get_item(**GET)) for _ in range(7)]
        await stub.has_been_asked(3)
        gate.set()
        answers = await asyncio.gather(*calls)
    assert stub.connections == 3
    assert sorted(int(one["Item"]["n"]["N"]) for one in answers) == list(range(7))


async def test_a_connection_that_the_server_has_closed_meanwhile_costs_neither_an_error_nor_a_wait(stub, client):
    stub.plan(ok({}), ok(ITEM))
    await client.get_item(**GET)
    stub.ends[0].close()
    await stub.ends[0].wait_closed()
    assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
    assert stub.connections == 2
    assert client.clock.slept == []


async def test_a_connection_that_is_closed_as_it_is_used_again_is_replaced_at_once(stub, client):
    """The server took the second request and hung up without a byte: it had decided to close before."""
    stub.plan(ok({}), HANG_UP, ok(ITEM))
    await client.get_item(**GET)
    found = await client.get_item(**GET)
    assert (found["Item"], found["ResponseMetadata"]["RetryAttempts"]) == (ITEM["Item"], 0)
    assert [asked.connection for asked in stub.asked] == [0, 0, 1]
    assert client.clock.slept == []


async def test_a_connection_that_breaks_within_an_answer_is_an_attempt(stub, client):
    stub.plan(ok({}), Reply(ok(ITEM).raw[:30], closes=True), ok(ITEM))
    await client.get_item(**GET)
    assert (await client.get_item(**GET))["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(client.clock.slept) == 1


async def test_a_connection_that_was_idle_for_long_is_not_used_again(stub, client):
    stub.plan(ok({}), ok({}))
    await client.get_item(**GET)
    client.clock.advance(seconds=51)
    await client.get_item(**GET)
    assert stub.connections == 2


async def test_connections_that_only_a_burst_has_needed_are_closed_while_others_go_on(stub, client):
    gate = asyncio.Event()
    stub.plan(*[Reply(ok({}).raw, waits=gate)] * 3, ok({}), ok({}), ok({}))
    burst = [asyncio.create_task(client.get_item(**GET)) for _ in range(3)]
    await stub.has_been_asked(3)
    gate.set()
    await asyncio.gather(*burst)
    for _ in range(3):
        client.clock.advance(seconds=26)
        await client.get_item(**GET)
    assert len(client.line._open) == 1
    assert stub.connections == 3


async def test_a_server_that_says_it_closes_is_believed(stub, client):
    stub.plan(ok({}, connection="close"), ok({}))
    await client.get_item(**GET)
    await client.get_item(**GET)
    assert stub.connections == 2


async def test_an_answer_that_nobody_asked_for_is_never_given_to_the_next_call(stub, client):
    stub.plan(Reply(ok({}).raw + ok({"Item": {"k": {"S": "of somebody else"}}}).raw), ok(ITEM))
    await client.get_item(**GET)
    assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
    assert stub.connections == 2


def only_connection(client):
    (connection,) = client.line._open
    return connection


async def test_bytes_that_come_unasked_end_the_connection(stub, client):
    stub.plan(ok({}), ok(ITEM))
    await client.get_item(**GET)
    connection = only_connection(client)
    stub.ends[0].write(ok({"Item": {"k": {"S": "of somebody else"}}}).raw)
    await asyncio.wait_for(connection.lost, 20)
    assert (await client.get_item(**GET))["Item"] == ITEM["Item"]


async def test_an_answer_that_comes_after_its_call_was_given_up_is_nobodys(stub, client):
    gate = asyncio.Event()
    stub.plan(Reply(ok({"Item": {"k": {"S": "of somebody else"}}}).raw, waits=gate), ok(ITEM))
    call = asyncio.create_task(client.get_item(**GET))
    await stub.has_been_asked(1)
    connection = only_connection(client)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(connection.lost, 20)
    gate.set()
    assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
    assert stub.connections == 2


async def test_an_answer_that_comes_before_its_request_was_read_leaves_no_rest_of_it_to_the_next(stub, client):
    """The rest of the request would be taken for the beginning of the next one, and answered as such."""
    early = asyncio.Event()

    async def answers_a_head(reader, writer):
        number, stub.connections = stub.connections, stub.connections + 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ok({"n": number}).raw)
        await early.wait()

    stub.serve = answers_a_head
    large = {**GET, "Key": {"k": {"S": "x" * 16_000_000}}}
    answers = [await client.get_item(**one) for one in (large, GET)]
    early.set()
    assert [(one["n"], one["ResponseMetadata"]["RetryAttempts"]) for one in answers] == [(0, 0), (1, 0)]


async def test_a_chunked_answer_is_read(stub, client):
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-amz-crc32: %d\r\n\r\n" % zlib.crc32(b'{"a":1}')
    raw = head + b'6\r\n{"a":1\r\n1\r\n}\r\n0\r\n\r\n'
    stub.plan(Reply(raw), ok(ITEM))
    assert (await client.get_item(**GET))["a"] == 1
    assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
    assert stub.connections == 1


async def test_an_answer_without_end_is_not_collected(stub, client, monkeypatch):
    monkeypatch.setattr("service.store.lean.connection.MAX_ANSWER_BYTES", 1000)
    stub.plan(*[ok({"a": "x" * 2000})] * 3)
    with pytest.raises(ConnectionBroken, match="too large"):
        await client.get_item(**GET)


async def test_an_answer_that_does_not_come_is_waited_for_a_while_and_then_asked_for_again(stub):
    stub.plan(Reply(b"", waits=asyncio.Event()), ok(ITEM))
    async with opened(stub, answer_seconds=0.5) as client:
        assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
        # A time-out costs ten of the retries' budget, of which its success gives them back.
        assert client.quota.left == 500


async def test_all_attempts_together_end_at_the_deadline(stub):
    stub.plan(*[Reply(b"", waits=asyncio.Event())] * 3)
    async with opened(stub) as client:
        dynamo = port_over(client, deadline_seconds=0.05)
        with pytest.raises(StoreUnavailable, match="deadline"):
            await dynamo.write(Update(table=Table.IDENTITIES, key={"k": "a"}, update="SET a = :a", values={":a": 1}))


async def test_nobody_at_the_endpoint_is_a_store_that_is_away(stub):
    async with opened(stub) as client:
        client.line._endpoint = Endpoint(hostname="127.0.0.1", port=1, tls=None)
        with pytest.raises(StoreUnavailable):
            await port_over(client).get(Get(table=Table.IDENTITIES, key={"k": "a"}))
