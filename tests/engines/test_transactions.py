from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError

TAKEN = {"p": {"B": b"taken"}, "s": {"B": b"m"}}
FREE = {"p": {"B": b"free"}, "s": {"B": b"m"}}
LOST = {"ConditionalCheckFailed", "TransactionConflict"}


def put(table, item, **more):
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(p)", **more}}


async def read(client, table, key):
    return (await client.get_item(TableName=table, Key=key, ConsistentRead=True)).get("Item")


async def test_the_reasons_of_a_cancelled_transaction_stand_in_request_order(client, table):
    await client.put_item(TableName=table, Item=TAKEN)

    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        await client.transact_write_items(TransactItems=[put(table, FREE), put(table, TAKEN)])

    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert await read(client, table, FREE) is None


async def test_a_reason_carries_the_item_as_it_was_when_asked_for(client, table):
    await client.put_item(TableName=table, Item={**TAKEN, "uid": {"B": b"owner"}})

    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        await client.transact_write_items(
            TransactItems=[put(table, TAKEN, ReturnValuesOnConditionCheckFailure="ALL_OLD")]
        )

    assert cancelled.value.response["CancellationReasons"][0]["Item"] == {**TAKEN, "uid": {"B": b"owner"}}


async def test_put_update_delete_and_check_happen_together(client, table):
    counter, gone, witness = ({"p": {"B": name}, "s": {"B": b"m"}} for name in (b"counter", b"gone", b"witness"))
    for item in (gone, witness):
        await client.put_item(TableName=table, Item=item)

    await client.transact_write_items(
        TransactItems=[
            put(table, FREE),
            {
                "Update": {
                    "TableName": table,
                    "Key": counter,
                    "UpdateExpression": "ADD ep :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            },
            {"Delete": {"TableName": table, "Key": gone, "ConditionExpression": "attribute_exists(p)"}},
            {"ConditionCheck": {"TableName": table, "Key": witness, "ConditionExpression": "attribute_exists(p)"}},
        ]
    )

    found = [await read(client, table, key) for key in (FREE, counter, gone, witness)]
    assert found == [FREE, {**counter, "ep": {"N": "1"}}, None, witness]


async def test_a_failed_check_keeps_everything_as_it_was(client, table):
    with pytest.raises(client.exceptions.TransactionCanceledException):
        await client.transact_write_items(
            TransactItems=[
                put(table, FREE),
                {"ConditionCheck": {"TableName": table, "Key": TAKEN, "ConditionExpression": "attribute_exists(p)"}},
            ]
        )

    assert await read(client, table, FREE) is None


async def test_the_same_request_token_does_the_work_once(client, table):
    add = {
        "Update": {
            "TableName": table,
            "Key": FREE,
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }

    for _ in range(2):
        await client.transact_write_items(TransactItems=[add], ClientRequestToken="once-and-only-once")

    assert await read(client, table, FREE) == {**FREE, "n": {"N": "1"}}


async def test_the_same_request_token_with_another_request_is_refused(client, table):
    await client.transact_write_items(TransactItems=[put(table, FREE)], ClientRequestToken="mine-and-not-yours")

    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        await client.transact_write_items(TransactItems=[put(table, TAKEN)], ClientRequestToken="mine-and-not-yours")


async def test_one_item_twice_in_a_transaction_is_refused(client, table):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.transact_write_items(TransactItems=[put(table, FREE), put(table, FREE)])


async def test_a_hundred_actions_are_taken_and_one_more_is_refused(client, table):
    items = [put(table, {"p": {"B": b"many"}, "s": {"B": bytes([number])}}) for number in range(101)]

    with pytest.raises(ClientError):
        await client.transact_write_items(TransactItems=items)
    await client.transact_write_items(TransactItems=items[:100])

    assert await read(client, table, items[99]["Put"]["Item"]) is not None


async def test_of_many_concurrent_transactions_on_one_marker_one_wins(client, table):
    async def register(number):
        account = {"p": {"B": b"account-%d" % number}, "s": {"B": b"m"}}
        try:
            await client.transact_write_items(TransactItems=[put(table, account), put(table, TAKEN)])
        except client.exceptions.TransactionCanceledException as cancelled:
            return {reason["Code"] for reason in cancelled.response["CancellationReasons"]}
        return account

    answers = await asyncio.gather(*map(register, range(20)))
    winners = [answer for answer in answers if isinstance(answer, dict)]
    losers = [answer for answer in answers if isinstance(answer, set)]

    stored = (await client.scan(TableName=table, ConsistentRead=True))["Items"]
    assert len(winners) == 1
    assert all(reasons & LOST for reasons in losers)
    assert sorted(stored, key=_partition) == sorted([winners[0], TAKEN], key=_partition)


def _partition(item):
    return item["p"]["B"]
