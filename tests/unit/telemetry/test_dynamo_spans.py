from __future__ import annotations

import asyncio

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from service.telemetry.dynamo_spans import traced_client
from service.telemetry.tracing import OFF
from tests.support.store import ScriptedClient, client_error

CANARY = "canary-4711"
ITEM = {"k": {"S": CANARY}}


def attributes(span):
    return dict(span.attributes)


def test_while_tracing_is_off_the_client_is_the_client():
    client = ScriptedClient()
    assert traced_client(client, OFF) is client


async def test_a_call_is_a_span_with_operation_table_and_units(spans):
    client = ScriptedClient({"Item": ITEM, "ConsumedCapacity": {"CapacityUnits": 1.5}})
    answer = await traced_client(client, spans.tracing).get_item(TableName="t-users", Key=ITEM)
    assert answer["Item"] == ITEM
    assert client.requests == [("get_item", {"TableName": "t-users", "Key": ITEM})]
    assert (spans.only.name, spans.only.kind) == ("DynamoDB GetItem", SpanKind.CLIENT)
    assert attributes(spans.only) == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "GetItem",
        "db.collection.name": "t-users",
        "keyturn.dynamodb.units": 1.5,
    }
    assert CANARY not in spans.text


async def test_a_refused_condition_is_an_answer_and_not_an_error(spans):
    error = client_error("ConditionalCheckFailedException", Item=ITEM)
    with pytest.raises(type(error)) as raised:
        await traced_client(ScriptedClient(error), spans.tracing).put_item(TableName="t", Item=ITEM)
    assert raised.value is error
    assert attributes(spans.only)["keyturn.dynamodb.refused"] is True
    assert spans.only.status.status_code is StatusCode.UNSET
    assert "error.type" not in spans.only.attributes
    assert CANARY not in spans.text


async def test_the_request_id_by_which_aws_finds_a_call_is_kept(spans):
    metadata = {"ResponseMetadata": {"RequestId": "R1"}}
    error = client_error("ConditionalCheckFailedException", **metadata)
    client = traced_client(ScriptedClient(metadata, error), spans.tracing)
    await client.get_item(TableName="t")
    with pytest.raises(type(error)):
        await client.put_item(TableName="t")
    assert [attributes(span)["aws.request_id"] for span in spans.all] == ["R1", "R1"]


def cancelled(*codes):
    return client_error("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (cancelled("None", "ConditionalCheckFailed"), True),
        (cancelled("TransactionConflict", "ConditionalCheckFailed"), False),
        (cancelled("None", "None"), False),
    ],
)
async def test_a_cancelled_transaction_is_refused_when_conditions_alone_refused_it(spans, error, refused):
    actions = [{"Put": {"TableName": "b", "Item": ITEM}}, {"Update": {"TableName": "a", "Key": ITEM}}]
    with pytest.raises(type(error)):
        await traced_client(ScriptedClient(error), spans.tracing).transact_write_items(TransactItems=actions)
    assert spans.only.attributes.get("keyturn.dynamodb.refused", False) is refused
    assert (spans.only.status.status_code is StatusCode.ERROR) is not refused
    assert spans.only.attributes["db.collection.name"] == "a b"
    assert CANARY not in spans.text


async def test_an_error_has_dynamodbs_code(spans):
    error = client_error("ThrottlingException")
    with pytest.raises(type(error)):
        await traced_client(ScriptedClient(error), spans.tracing).query(TableName="t")
    assert attributes(spans.only)["db.response.status_code"] == "ThrottlingException"
    assert spans.only.status.status_code is StatusCode.ERROR


async def test_leak_an_error_of_the_network_is_named_by_its_class(spans):
    with pytest.raises(ConnectionResetError):
        await traced_client(ScriptedClient(ConnectionResetError(CANARY)), spans.tracing).query(TableName="t")
    assert attributes(spans.only)["error.type"] == "ConnectionResetError"
    assert CANARY not in spans.text


async def test_a_call_past_its_deadline_ends_its_span(spans):
    async def never(_request):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await traced_client(ScriptedClient(never), spans.tracing).query(TableName="t")
    assert attributes(spans.only)["error.type"] == "CancelledError"


async def test_a_batch_names_its_tables_and_adds_up_its_units(spans):
    answer = {"Responses": {}, "ConsumedCapacity": [{"CapacityUnits": 1}, {"CapacityUnits": 2}]}
    request = {"RequestItems": {"b": {"Keys": [ITEM]}, "a": {"Keys": [ITEM]}}}
    await traced_client(ScriptedClient(answer), spans.tracing).batch_get_item(**request)
    assert attributes(spans.only)["db.collection.name"] == "a b"
    assert attributes(spans.only)["keyturn.dynamodb.units"] == 3
    assert CANARY not in spans.text


async def test_what_is_not_of_the_data_plane_is_the_clients_own(spans):
    class Client:
        meta = object()

        def get_paginator(self, name):
            return name

    client = Client()
    traced = traced_client(client, spans.tracing)
    assert traced.meta is client.meta
    assert traced.get_paginator("scan") == "scan"
    assert spans.all == ()
