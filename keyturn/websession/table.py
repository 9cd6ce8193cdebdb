"""The table of web sessions: its definition, a way to make it, and the permissions that a site needs on it."""

from __future__ import annotations

from typing import Any, Final

ACTIONS: Final = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
)
"""What a site does with the table, alone or in a transaction. It never scans, and never changes the table."""


def definition(name: str) -> dict[str, Any]:
    """The arguments of CreateTable. The TTL attribute is set apart: ``time_to_live``."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    }


def time_to_live(name: str) -> dict[str, Any]:
    """The arguments of UpdateTimeToLive."""
    return {"TableName": name, "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True}}


def create(client: Any, name: str) -> None:
    """Makes the table and waits for it. For development and tests; elsewhere declare it beside your other tables."""
    client.create_table(**definition(name))
    client.get_waiter("table_exists").wait(TableName=name)
    client.update_time_to_live(**time_to_live(name))


def policy(table_arn: str) -> dict[str, Any]:
    """The IAM policy of a site: these actions on this table, and no index."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(ACTIONS), "Resource": table_arn}],
    }
