from __future__ import annotations

import pytest

USER = b"\x00\xff\x80user"


def item(sort, **attributes):
    return {"p": {"B": USER}, "s": {"B": sort}, **attributes}


def by_user(table, **more):
    return {
        "TableName": table,
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"B": USER}},
        "ConsistentRead": True,
        **more,
    }


@pytest.fixture
async def seven(client, table):
    for number in range(7):
        await client.put_item(TableName=table, Item=item(bytes([number * 40])))
    await client.put_item(TableName=table, Item={"p": {"B": USER + b"2"}, "s": {"B": b"x"}})
    return table


def sorts(answer):
    return [found["s"]["B"][0] for found in answer["Items"]]


async def test_a_query_orders_binary_keys_by_unsigned_bytes(client, seven):
    assert sorts(await client.query(**by_user(seven))) == [0, 40, 80, 120, 160, 200, 240]


async def test_a_query_runs_backwards_on_request(client, seven):
    assert sorts(await client.query(**by_user(seven, ScanIndexForward=False, Limit=2))) == [240, 200]


async def test_pages_join_without_a_gap_or_a_repeat(client, seven):
    found, start = [], {}
    while True:
        answer = await client.query(**by_user(seven, Limit=3, **start))
        found += sorts(answer)
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    assert found == [0, 40, 80, 120, 160, 200, 240]


async def test_the_last_evaluated_key_is_the_key_of_the_last_item(client, seven):
    answer = await client.query(**by_user(seven, Limit=3))

    assert answer["LastEvaluatedKey"] == item(b"\x50")


async def test_a_query_begins_with_binary_bytes(client, table):
    for sort in (b"C#pwd", b"C#totp", b"U"):
        await client.put_item(TableName=table, Item=item(sort))

    answer = await client.query(
        TableName=table,
        KeyConditionExpression="p = :p AND begins_with(s, :c)",
        ExpressionAttributeValues={":p": {"B": USER}, ":c": {"B": b"C#"}},
        ConsistentRead=True,
    )

    assert [found["s"]["B"] for found in answer["Items"]] == [b"C#pwd", b"C#totp"]


async def test_a_projection_answers_only_what_was_asked_for(client, table):
    await client.put_item(TableName=table, Item=item(b"U", name={"S": "Ann"}, secret={"S": "x"}))

    answer = await client.query(**by_user(table, ProjectionExpression="#n", ExpressionAttributeNames={"#n": "name"}))

    assert answer["Items"] == [{"name": {"S": "Ann"}}]


async def test_a_batch_answers_what_is_there_consistently(client, table):
    there, missing = item(b"there"), item(b"missing")
    await client.put_item(TableName=table, Item=there)

    answer = await client.batch_get_item(RequestItems={table: {"Keys": [there, missing], "ConsistentRead": True}})

    assert answer["Responses"] == {table: [there]}
    assert answer["UnprocessedKeys"] == {}


async def test_every_type_that_is_stored_is_read_back_as_it_was(client, table):
    whole = item(
        b"U",
        text={"S": "Zoë \x00 😀"},
        number={"N": "-12345678901234567890.5"},
        yes={"BOOL": True},
        nothing={"NULL": True},
        texts={"SS": ["a", "b"]},
        nested={"M": {"list": {"L": [{"B": b"\x00"}, {"S": ""}]}}},
    )

    await client.put_item(TableName=table, Item=whole)

    answer = await client.get_item(TableName=table, Key=item(b"U"), ConsistentRead=True)
    assert answer["Item"] | {"texts": {"SS": sorted(answer["Item"]["texts"]["SS"])}} == whole


async def test_a_scan_in_segments_sees_each_item_once(client, seven):
    found = []
    for segment in range(3):
        answer = await client.scan(TableName=seven, Segment=segment, TotalSegments=3, ConsistentRead=True)
        found += [(one["p"]["B"], one["s"]["B"]) for one in answer["Items"]]

    assert len(found) == len(set(found)) == 8
