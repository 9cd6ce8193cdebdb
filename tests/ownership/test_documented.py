"""docs/ownership-in-keys.md runs as it is shown."""

from __future__ import annotations

import boto3
import pytest

from tests.docs.markdown import ROOT, fences
from tests.ownership.test_owned_keys import ALICE, MALLORY


@pytest.fixture
def notes(engine_url):
    resource = boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=engine_url)
    table = resource.create_table(
        TableName="notes",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "user_id", "KeyType": "HASH"}, {"AttributeName": "note_id", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "user_id", "AttributeType": "S"},
            {"AttributeName": "note_id", "AttributeType": "S"},
        ],
    )
    table.wait_until_exists()
    yield table
    table.delete()
    resource.meta.client.close()


def test_the_code_that_is_shown_runs(notes, engine_url):
    (fence,) = fences((ROOT / "docs/ownership-in-keys.md").read_text("utf-8"))
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=engine_url)
    for principal in (ALICE, MALLORY):
        exec(fence.text, {"table": notes, "client": client, "principal": principal, "note_id": "n-1"})
    client.close()
    assert {item["user_id"] for item in notes.scan()["Items"]} == {"alice", "mallory"}
