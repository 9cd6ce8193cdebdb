"""The lean client against a server that does what DynamoDB and proxies do on a bad day."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from service.store.errors import ConditionFailed, Conflict, StoreUnavailable, Throttled, TransactionCancelled
from service.store.operations import Get
from service.store.table import Table
from tests.support.lean import AWAY, BUSY, GET, ITEM, PUT, port_over
from tests.support.stub_dynamo import HANG_UP, Reply, answer, ok, refusal


async def test_a_call_is_one_request_named_by_its_target_and_keeps_its_id(stub, client):
    stub.plan(ok({"Items": []}))
    found = await client.query(**GET, ExpressionAttributeValues={":b": {"B": b"\x00\x01"}})
    assert found["ResponseMetadata"] == {"RequestId": "R1", "HTTPStatusCode": 200, "RetryAttempts": 0}
    (asked,) = stub.asked
    assert asked.headers["x-amz-target"] == "DynamoDB_20120810.Query"
    assert asked.headers["user-agent"] == "keyturn"
    assert asked.body == {**GET, "ExpressionAttributeValues": {":b": {"B": "AAE="}}}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(BUSY, id="throttled"),
        pytest.param(AWAY, id="500"),
        pytest.param(answer(503, b"<html>busy</html>"), id="503 of a proxy"),
        pytest.param(HANG_UP, id="hangs up"),
        pytest.param(Reply(ok(ITEM).raw[:-9], closes=True), id="cut short"),
        pytest.param(Reply(b"HTTP/1.1 200 OK\r\n\r\n{}", closes=True), id="no length"),
        pytest.param(Reply(b"what?\r\n\r\n", closes=True), id="not HTTP"),
        pytest.param(Reply(b"HTTP/1.1 103 Early Hints\r\n\r\n", closes=True), id="an answer before the answer"),
        pytest.param(ok(ITEM, x_amz_crc32="1"), id="wrong checksum"),
        pytest.param(Reply(ok(ITEM).raw.replace(b"x-amz-crc32", b"x-of-nobody")), id="no checksum"),
        pytest.param(refusal("ValidationException", headers={"x_amz_crc32": "1"}), id="wrong checksum of a refusal"),
        pytest.param(answer(200, b"<html>sign in to this net</html>"), id="not JSON"),
        pytest.param(answer(200, b"[]"), id="not an object"),
        pytest.param(answer(200, b""), id="nothing"),
    ],
)
async def test_trouble_that_passes_is_tried_again_and_goes_through(stub, client, trouble):
    stub.plan(trouble, ok(ITEM))
    found = await client.get_item(**GET)
    assert found["Item"] == ITEM["Item"]
    assert found["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(stub.asked) == 2
    assert len(client.clock.slept) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (BUSY, Throttled),
        (AWAY, StoreUnavailable),
        (HANG_UP, StoreUnavailable),
        (ok({}, x_amz_crc32="1"), StoreUnavailable),
        (answer(200, b"<html>"), StoreUnavailable),
    ],
)
async def test_trouble_that_stays_ends_after_three_attempts_and_never_says_that_nothing_is_there(
    stub, client, trouble, kind
):
    stub.plan(*[trouble] * 5)
    with pytest.raises(kind):
        await port_over(client).get(Get(table=Table.IDENTITIES, key={"k": "a"}))
    assert len(stub.asked) == 3
    assert len(client.clock.slept) == 2


async def test_when_much_fails_retries_stop_before_they_make_it_worse(stub, client):
    client.quota.left = 9
    stub.plan(AWAY, AWAY)
    with pytest.raises(ClientError):
        await client.get_item(**GET)
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal("ConditionalCheckFailedException", Item=ITEM["Item"]), ConditionFailed),
        (refusal("ValidationException"), StoreUnavailable),
        (refusal("AccessDeniedException"), StoreUnavailable),
        (answer(413, b""), StoreUnavailable),
        (answer(301, b"", location="http://192.0.2.1/"), StoreUnavailable),
        (answer(404, b"<html>", x_amzn_errortype="ConditionalCheckFailedException:http://x"), ConditionFailed),
    ],
)
async def test_a_refusal_is_typed_and_not_tried_again(stub, client, reply, kind):
    stub.plan(reply)
    with pytest.raises(kind) as raised:
        await port_over(client).write(PUT)
    assert type(raised.value) is kind
    assert len(stub.asked) == 1


async def test_a_refused_condition_answers_the_item_as_it_was_bytes_too(stub, client):
    stub.plan(refusal("ConditionalCheckFailedException", Item=ITEM["Item"]))
    with pytest.raises(ConditionFailed) as refused:
        await port_over(client).write(PUT)
    assert refused.value.item == {"k": "a", "b": b"\x00\x01"}


async def test_an_error_keeps_dynamodbs_words_and_the_request_id(stub, client):
    stub.plan(refusal("ValidationException", message="too long", headers={"x_amzn_requestid": "R2"}))
    with pytest.raises(ClientError) as refused:
        await client.get_item(**GET)
    assert refused.value.operation_name == "GetItem"
    assert refused.value.response["Error"] == {"Code": "ValidationException", "Message": "too long"}
    stub.plan(refusal("ValidationException", headers={"x_amzn_requestid": "R2"}))
    with pytest.raises(StoreUnavailable, match=r"ValidationException \(request R2\)"):
        await port_over(client).write(PUT)


async def test_a_conflict_is_the_stores_to_try_again(stub, client):
    stub.plan(refusal("TransactionConflictException"), ok({}))
    await port_over(client).write(PUT)
    assert len(stub.asked) == 2
    stub.plan(*[refusal("TransactionConflictException")] * 6)
    with pytest.raises(Conflict):
        await port_over(client).write(PUT)


async def test_a_cancelled_transaction_gives_its_reasons_in_order(stub, client):
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", **ITEM}]
    stub.plan(refusal("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(TransactionCancelled) as cancelled:
        await port_over(client).transact([PUT, PUT])
    assert [cancelled.value.refused(index) for index in (0, 1)] == [False, True]
    assert cancelled.value.reasons[1].item == {"k": "a", "b": b"\x00\x01"}


async def test_all_attempts_of_a_transaction_carry_the_same_token(stub, client):
    stub.plan(AWAY, HANG_UP, ok({}))
    await port_over(client).transact([PUT])
    assert len({asked.body["ClientRequestToken"] for asked in stub.asked}) == 1
    assert len(stub.asked) == 3


async def test_a_value_that_dynamodb_has_no_type_for_is_not_sent(stub, client):
    with pytest.raises(TypeError):
        await client.get_item(TableName="t", Key={"k": {"SS": {"a"}}})
    assert not stub.asked
