from __future__ import annotations

import pytest

KEY = {"p": {"B": b"user"}, "s": {"B": b"U"}}
OTHER = {"p": {"B": b"user"}, "s": {"B": b"C"}}
SMALL = {"blob": {"B": b"x" * 450}}
THREE_KILOBYTES = {"blob": {"B": b"x" * 2500}}
TOTAL = {"ReturnConsumedCapacity": "TOTAL"}


def units(answer):
    consumed = answer["ConsumedCapacity"]
    return sum(one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed]))


def put(table, item):
    return {"Put": {"TableName": table, "Item": item}}


async def test_a_put_of_a_small_item_costs_one_unit(client, table):
    assert units(await client.put_item(TableName=table, Item={**KEY, **SMALL}, **TOTAL)) == 1


async def test_a_put_of_three_kilobytes_costs_three_units(client, table):
    assert units(await client.put_item(TableName=table, Item={**KEY, **THREE_KILOBYTES}, **TOTAL)) == 3


async def test_a_put_over_a_larger_item_costs_the_larger(client, table):
    await client.put_item(TableName=table, Item={**KEY, **THREE_KILOBYTES})

    assert units(await client.put_item(TableName=table, Item=KEY, **TOTAL)) == 3


async def test_an_update_of_a_small_item_costs_one_unit(client, table):
    await client.put_item(TableName=table, Item={**KEY, **SMALL})

    answer = await client.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET g = :g",
        ExpressionAttributeValues={":g": {"N": "1"}},
        ReturnValues="ALL_NEW",
        **TOTAL,
    )

    assert units(answer) == 1


async def test_a_delete_of_a_small_item_costs_one_unit(client, table):
    await client.put_item(TableName=table, Item={**KEY, **SMALL})

    assert units(await client.delete_item(TableName=table, Key=KEY, **TOTAL)) == 1


@pytest.mark.parametrize(("consistent", "expected"), [(True, 1), (False, 0.5)])
async def test_a_get_costs_one_unit_or_half_of_it(client, table, consistent, expected):
    await client.put_item(TableName=table, Item={**KEY, **SMALL})

    answer = await client.get_item(TableName=table, Key=KEY, ConsistentRead=consistent, **TOTAL)

    assert units(answer) == expected


async def test_a_get_of_a_missing_item_costs_as_much(client, table):
    assert units(await client.get_item(TableName=table, Key=KEY, ConsistentRead=True, **TOTAL)) == 1


async def test_a_query_costs_the_sum_of_its_items_rounded_up_once(client, table):
    for item in (KEY, OTHER):
        await client.put_item(TableName=table, Item={**item, **THREE_KILOBYTES})

    answer = await client.query(
        TableName=table,
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": KEY["p"]},
        ConsistentRead=True,
        **TOTAL,
    )

    assert units(answer) == 2


async def test_an_empty_query_costs_one_unit(client, table):
    answer = await client.query(
        TableName=table,
        KeyConditionExpression="p = :p",
        ExpressionAttributeValues={":p": {"B": b"nobody"}},
        ConsistentRead=True,
        **TOTAL,
    )

    assert units(answer) == 1


async def test_a_batch_costs_one_unit_a_key_found_or_not(client, table):
    await client.put_item(TableName=table, Item=KEY)

    answer = await client.batch_get_item(RequestItems={table: {"Keys": [KEY, OTHER], "ConsistentRead": True}}, **TOTAL)

    assert units(answer) == 2


async def test_a_transaction_costs_two_units_an_action(client, table):
    answer = await client.transact_write_items(TransactItems=[put(table, KEY), put(table, OTHER)], **TOTAL)

    assert units(answer) == 4


async def test_a_check_in_a_transaction_costs_as_much_as_a_write(client, table):
    await client.put_item(TableName=table, Item=KEY)
    check = {"ConditionCheck": {"TableName": table, "Key": KEY, "ConditionExpression": "attribute_exists(p)"}}

    answer = await client.transact_write_items(TransactItems=[check, put(table, OTHER)], **TOTAL)

    assert units(answer) == 4
