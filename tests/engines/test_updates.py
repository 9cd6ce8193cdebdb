from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError

KEY = {"p": {"B": b"\x00user"}, "s": {"B": b"\xff"}}
SESSION = {**KEY, "h": {"B": b"one"}, "g": {"N": "1"}}


def rotate(table, *, held, fresh, **more):
    return {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "SET ph = h, h = :fresh, g = g + :one",
        "ConditionExpression": "h = :held",
        "ExpressionAttributeValues": {":held": {"B": held}, ":fresh": {"B": fresh}, ":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **more,
    }


@pytest.fixture
async def stored(client, table):
    await client.put_item(TableName=table, Item=SESSION)
    return table


async def read(client, table):
    return (await client.get_item(TableName=table, Key=KEY, ConsistentRead=True)).get("Item")


async def test_an_update_reads_old_values_and_answers_the_whole_new_item(client, stored):
    answer = await client.update_item(**rotate(stored, held=b"one", fresh=b"two"))

    assert answer["Attributes"] == {**KEY, "ph": {"B": b"one"}, "h": {"B": b"two"}, "g": {"N": "2"}}


async def test_a_refused_update_answers_the_item_as_it_was_and_changes_nothing(client, stored):
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
        await client.update_item(**rotate(stored, held=b"other", fresh=b"two"))

    assert refused.value.response["Item"] == SESSION
    assert await read(client, stored) == SESSION


async def test_a_refused_update_of_a_missing_item_answers_no_item(client, table):
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as refused:
        await client.update_item(**rotate(table, held=b"one", fresh=b"two"))

    assert "Item" not in refused.value.response
    assert await read(client, table) is None


async def test_a_condition_compares_numbers_as_numbers(client, table):
    await client.put_item(TableName=table, Item={**KEY, "rt": {"N": "9"}})

    await client.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET rt = :now",
        ConditionExpression="rt < :before AND attribute_exists(p)",
        ExpressionAttributeValues={":now": {"N": "1700000000000"}, ":before": {"N": "10"}},
    )

    assert (await read(client, table))["rt"] == {"N": "1700000000000"}


async def test_add_counts_from_nothing(client, table):
    for _ in range(3):
        answer = await client.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="ADD ep :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )

    assert answer["Attributes"] == {"ep": {"N": "3"}}


async def test_if_not_exists_keeps_the_first_value(client, table):
    for value in ("1", "2"):
        await client.update_item(
            TableName=table,
            Key=KEY,
            UpdateExpression="SET made = if_not_exists(made, :v), latest = :v",
            ExpressionAttributeValues={":v": {"N": value}},
        )

    assert await read(client, table) == {**KEY, "made": {"N": "1"}, "latest": {"N": "2"}}


async def test_of_fifty_concurrent_conditional_puts_one_wins(client, table):
    async def claim(number):
        try:
            await client.put_item(
                TableName=table,
                Item={**KEY, "who": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(p)",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return None
        return number

    winners = [who for who in await asyncio.gather(*map(claim, range(50))) if who is not None]

    assert len(winners) == 1
    assert (await read(client, table))["who"] == {"N": str(winners[0])}


async def test_of_fifty_concurrent_rotations_one_wins(client, stored):
    async def attempt(number):
        try:
            await client.update_item(**rotate(stored, held=b"one", fresh=b"two-%d" % number))
        except client.exceptions.ConditionalCheckFailedException as refused:
            return refused.response["Item"]["g"]
        return None

    seen_by_losers = [seen for seen in await asyncio.gather(*map(attempt, range(50))) if seen is not None]

    assert seen_by_losers == [{"N": "2"}] * 49


async def test_fifty_concurrent_additions_are_all_counted(client, table):
    await asyncio.gather(
        *(
            client.update_item(
                TableName=table,
                Key=KEY,
                UpdateExpression="ADD n :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
            for _ in range(50)
        )
    )

    assert (await read(client, table))["n"] == {"N": "50"}


async def test_a_delete_obeys_its_condition_and_answers_what_it_deleted(client, stored):
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        await client.delete_item(
            TableName=stored, Key=KEY, ConditionExpression="g = :g", ExpressionAttributeValues={":g": {"N": "7"}}
        )

    answer = await client.delete_item(TableName=stored, Key=KEY, ReturnValues="ALL_OLD")

    assert answer["Attributes"] == SESSION
    assert await read(client, stored) is None


async def test_an_item_of_more_than_400_kilobytes_is_refused(client, table):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.put_item(TableName=table, Item={**KEY, "blob": {"B": b"x" * 400 * 1024}})


async def test_an_item_just_below_400_kilobytes_is_kept(client, table):
    blob = {"B": b"x" * (400 * 1024 - 100)}

    await client.put_item(TableName=table, Item={**KEY, "blob": blob})

    assert (await read(client, table))["blob"] == blob


async def test_an_empty_key_is_refused(client, table):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.put_item(TableName=table, Item={"p": {"B": b""}, "s": {"B": b"x"}})


async def test_a_key_of_more_than_2048_bytes_is_refused(client, table):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.put_item(TableName=table, Item={"p": {"B": b"k" * 2049}, "s": {"B": b"x"}})


async def test_a_number_of_more_than_38_digits_is_refused(client, table):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.put_item(TableName=table, Item={**KEY, "n": {"N": "1" * 39}})


async def test_a_reserved_word_needs_a_placeholder(client, stored):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.update_item(
            TableName=stored, Key=KEY, UpdateExpression="SET ttl = :t", ExpressionAttributeValues={":t": {"N": "1"}}
        )


async def test_a_value_that_no_expression_uses_is_refused(client, stored):
    with pytest.raises(ClientError, match="ValidationException"):
        await client.update_item(
            TableName=stored,
            Key=KEY,
            UpdateExpression="SET a = :a",
            ExpressionAttributeValues={":a": {"N": "1"}, ":unused": {"N": "1"}},
        )
