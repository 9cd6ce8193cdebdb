from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError


async def until_active(client, table):
    for _ in range(100):
        indexes = (await client.describe_table(TableName=table))["Table"]["GlobalSecondaryIndexes"]
        if all(index["IndexStatus"] == "ACTIVE" for index in indexes):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the index did not become active")


async def test_time_to_live_is_switched_on(client, table):
    setting = {"Enabled": True, "AttributeName": "ttl"}

    await client.update_time_to_live(TableName=table, TimeToLiveSpecification=setting)

    described = (await client.describe_time_to_live(TableName=table))["TimeToLiveDescription"]
    assert described["AttributeName"] == "ttl"
    assert described["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}


async def test_a_table_that_is_protected_cannot_be_deleted(client, table):
    await client.update_table(TableName=table, DeletionProtectionEnabled=True)

    with pytest.raises(ClientError):
        await client.delete_table(TableName=table)

    await client.update_table(TableName=table, DeletionProtectionEnabled=False)


async def test_point_in_time_recovery_is_switched_on(client, table):
    await client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )

    described = (await client.describe_continuous_backups(TableName=table))["ContinuousBackupsDescription"]
    assert described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


async def test_a_table_is_encrypted_with_a_customer_key(client, table):
    await client.update_table(TableName=table, SSESpecification={"Enabled": True, "SSEType": "KMS"})

    described = (await client.describe_table(TableName=table))["Table"]
    assert described["SSEDescription"]["SSEType"] == "KMS"


async def test_a_table_is_made_once(client, table):
    with pytest.raises(client.exceptions.ResourceInUseException):
        await client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "B"}],
        )


async def test_a_sparse_index_is_answered_and_lists_only_items_that_carry_its_key(client, table):
    await client.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "day", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-day",
                    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    await until_active(client, table)
    await client.put_item(TableName=table, Item={"p": {"B": b"a"}, "s": {"B": b"1"}, "day": {"S": "d"}})
    await client.put_item(TableName=table, Item={"p": {"B": b"b"}, "s": {"B": b"1"}})

    answer = await client.query(
        TableName=table,
        IndexName="by-day",
        KeyConditionExpression="#d = :d",
        ExpressionAttributeNames={"#d": "day"},
        ExpressionAttributeValues={":d": {"S": "d"}},
    )

    assert [found["p"]["B"] for found in answer["Items"]] == [b"a"]
