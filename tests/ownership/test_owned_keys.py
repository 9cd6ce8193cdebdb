"""Another's item cannot be read, written or listed, whatever stands in the URL, in each client's style."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import aioboto3
import boto3
import pytest
from boto3.dynamodb.conditions import Attr

from keyturn.dynamodb import UnsafeKey, owned_item, owned_key, owned_query


@dataclass(frozen=True)
class Caller:
    subject: str


ALICE, MALLORY = Caller("alice"), Caller("mallory")


@pytest.fixture(scope="module")
def resource(engine_url):
    resource = boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=engine_url)
    yield resource
    resource.meta.client.close()


@pytest.fixture(scope="module")
def notes(resource):
    """Notes by user and id, and as items of one table for everything."""
    table = resource.create_table(
        TableName=f"notes-{uuid.uuid4().hex}",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    )
    table.wait_until_exists()
    for number in ("1", "10", "2"):
        table.put_item(Item={"pk": "USER#alice", "sk": f"NOTE#{number}", "text": f"alice's {number}"})
    table.put_item(Item={"pk": "USER#alice", "sk": "NOTE#1#COMMENT#1", "text": "a comment"})
    table.put_item(Item={"pk": "USER#alice", "sk": "SECRET#1", "text": "alice's secret"})
    table.put_item(Item={"pk": "USER#alice#ADMIN", "sk": "NOTE#1", "text": "of another kind of owner"})
    table.put_item(Item={"pk": "alice", "sk": "1", "text": "plain"})
    return table


def key(caller, note_id, **style):
    return owned_key(caller, partition="pk", prefix="USER", sort=("sk", "NOTE", note_id), **style)


def query(caller, *begins, **style):
    return owned_query(caller, partition="pk", prefix="USER", begins=("sk", *begins) if begins else None, **style)


def test_my_own_item_is_read_and_anothers_is_not_there(notes):
    assert notes.get_item(**key(ALICE, "1"))["Item"]["text"] == "alice's 1"
    assert "Item" not in notes.get_item(**key(MALLORY, "1"))


def test_a_key_without_prefix_is_the_subject_itself(notes):
    assert notes.get_item(**owned_key(ALICE, partition="pk", sort=("sk", "1")))["Item"]["text"] == "plain"
    assert owned_key(ALICE) == {"Key": {"user_id": "alice"}}
    assert owned_key(ALICE, sort=("n", 7), typed=True) == {"Key": {"user_id": {"S": "alice"}, "n": {"N": "7"}}}


@pytest.mark.parametrize(
    "note_id",
    [
        "1#COMMENT#1",
        "#",
        "",
        "1#",
        "\x00",
        "1\n",
        "é\u2028",
        "\ud800",
        None,
        True,
        1,
        {"S": "1"},
        ["1"],
        b"1",
        "x" * 1025,
    ],
)
def test_an_id_that_could_be_read_as_more_than_one_part_is_refused(note_id):
    with pytest.raises(UnsafeKey) as refused:
        key(ALICE, note_id)
    assert "COMMENT" not in str(refused.value)


def test_a_truth_value_is_no_number():
    with pytest.raises(UnsafeKey):
        owned_key(ALICE, sort=("n", True))


@pytest.mark.parametrize("subject", ["alice#ADMIN", "", "alice\x00", "x" * 2049, None])
def test_a_subject_that_could_be_read_as_more_than_one_part_is_refused(subject):
    for make in (key, lambda caller, _: query(caller), lambda caller, _: owned_key(caller)):
        with pytest.raises(UnsafeKey):
            make(Caller(subject), "1")


def test_a_query_finds_what_is_mine_and_nothing_else(notes):
    mine = [item["sk"] for item in notes.query(**query(ALICE))["Items"]]
    assert mine == ["NOTE#1", "NOTE#1#COMMENT#1", "NOTE#10", "NOTE#2", "SECRET#1"]
    assert notes.query(**query(MALLORY))["Items"] == []
    assert notes.query(**query(MALLORY, "NOTE"))["Items"] == []


def test_a_query_of_one_kind_does_not_stray_into_another(notes):
    found = [item["sk"] for item in notes.query(**query(ALICE, "NOTE"))["Items"]]
    assert "SECRET#1" not in found
    assert [item["sk"] for item in notes.query(**query(ALICE, "NOTE", "1"))["Items"]] == ["NOTE#1#COMMENT#1"]
    for begins in ("", "NOTE#1", "S\x00"):
        with pytest.raises(UnsafeKey):
            query(ALICE, begins)


def test_a_filter_narrows_a_query_and_reaches_no_further(notes):
    """As boto3's conditions and as text, for a caller who has such items and for one who has none."""
    for caller, found in ((ALICE, ["NOTE#10"]), (MALLORY, [])):
        by_condition = notes.query(**query(caller, "NOTE"), FilterExpression=Attr("text").contains("10"))
        arguments = query(caller, "NOTE")
        arguments["ExpressionAttributeNames"].update({"#text": "text"})
        arguments["ExpressionAttributeValues"].update({":part": "10"})
        by_text = notes.query(**arguments, FilterExpression="contains(#text, :part)")
        for answer in (by_condition, by_text):
            assert [item["sk"] for item in answer["Items"]] == found


def test_anothers_item_is_neither_changed_nor_deleted(notes):
    notes.update_item(
        **key(MALLORY, "1"),
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":t": "mallory was here"},
    )
    notes.delete_item(**key(MALLORY, "2"))
    assert notes.get_item(**key(ALICE, "1"))["Item"]["text"] == "alice's 1"
    assert "Item" in notes.get_item(**key(ALICE, "2"))


def test_a_body_cannot_choose_its_owner(notes):
    body = {"pk": "USER#alice", "sk": "NOTE#1", "text": "forged"}
    notes.put_item(**owned_item(MALLORY, body, partition="pk", prefix="USER", sort=("sk", "NOTE", "9")))
    assert notes.get_item(**key(ALICE, "1"))["Item"]["text"] == "alice's 1"
    assert notes.get_item(**key(MALLORY, "9"))["Item"]["text"] == "forged"


def test_an_item_that_is_there_is_not_written_over(notes):
    with pytest.raises(notes.meta.client.exceptions.ConditionalCheckFailedException):
        notes.put_item(**owned_item(ALICE, {"text": "again"}, partition="pk", prefix="USER", sort=("sk", "NOTE", "1")))


def test_a_client_takes_the_same_with_types(notes, resource):
    url, name = resource.meta.client.meta.endpoint_url, notes.name
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url)
    assert client.get_item(TableName=name, **key(ALICE, "1", typed=True))["Item"]["text"] == {"S": "alice's 1"}
    assert "Item" not in client.get_item(TableName=name, **key(MALLORY, "2", typed=True))
    assert client.query(TableName=name, **query(ALICE, "NOTE", typed=True))["Count"] >= 3
    item = owned_item(ALICE, {"text": {"S": "x"}}, partition="pk", prefix="USER", sort=("sk", "NOTE", "8"), typed=True)
    client.put_item(TableName=name, **item)
    reads = [{"Get": {"TableName": name, **key(caller, "8", typed=True)}} for caller in (ALICE, MALLORY)]
    answers = client.transact_get_items(TransactItems=reads)["Responses"]
    assert ["Item" in answer for answer in answers] == [True, False]
    client.delete_item(TableName=name, **key(ALICE, "8", typed=True))
    client.close()


async def test_aioboto3_takes_both_styles(notes, engine_url):
    session = aioboto3.Session(region_name="us-east-1")
    async with session.client("dynamodb", endpoint_url=engine_url) as client:
        answer = await client.get_item(TableName=notes.name, **key(ALICE, "1", typed=True))
        assert answer["Item"]["text"] == {"S": "alice's 1"}
    async with session.resource("dynamodb", endpoint_url=engine_url) as resource:
        table = await resource.Table(notes.name)
        assert "Item" not in await table.get_item(**key(MALLORY, "2"))
        assert (await table.query(**query(ALICE, "SECRET")))["Count"] == 1
