from __future__ import annotations

import inspect

import pytest

from service.store import operations
from service.store.operations import Check, Delete, Get, Put, Query, Update
from service.store.table import Table, TableNames

NAMES = TableNames("t")
KEY = {"uid": b"u", "sid": b"s"}
RAW_KEY = {"uid": {"B": b"u"}, "sid": {"B": b"s"}}
CONDITION = {
    "condition": "st = :a AND #ttl > :n",
    "values": {":a": "a", ":n": 1, ":none": None},
    "names": {"#ttl": "ttl"},
}
RAW_CONDITION = {
    "ConditionExpression": "st = :a AND #ttl > :n",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    "ExpressionAttributeValues": {":a": {"S": "a"}, ":n": {"N": "1"}},
    "ExpressionAttributeNames": {"#ttl": "ttl"},
}
READS = [
    Get(table=Table.SESSIONS, key=KEY),
    Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": b"u"}, limit=5),
    Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": b"u"}, limit=5, start=KEY, forward=False),
]
WRITES = [
    Put(table=Table.SESSIONS, item=KEY, **CONDITION),
    Update(table=Table.SESSIONS, key=KEY, update="SET a = :a", **CONDITION),
    Delete(table=Table.SESSIONS, key=KEY, **CONDITION),
    Check(table=Table.SESSIONS, key=KEY, **CONDITION),
]


def test_a_get_names_table_and_key_and_is_consistent():
    assert READS[0].request(NAMES) == {"TableName": "t-sessions", "Key": RAW_KEY, "ConsistentRead": True}


def test_a_query_names_its_partition_and_its_bound():
    assert READS[1].request(NAMES) == {
        "TableName": "t-sessions",
        "KeyConditionExpression": "uid = :uid",
        "ExpressionAttributeValues": {":uid": {"B": b"u"}},
        "ConsistentRead": True,
        "Limit": 5,
        "ScanIndexForward": True,
    }


def test_a_query_goes_on_where_it_is_told_and_may_run_backwards():
    assert READS[2].request(NAMES) == READS[1].request(NAMES) | {
        "ScanIndexForward": False,
        "ExclusiveStartKey": RAW_KEY,
    }


@pytest.mark.parametrize("read", READS)
def test_no_read_is_eventually_consistent_or_asks_an_index(read):
    request = read.request(NAMES)
    assert request["ConsistentRead"] is True
    assert "IndexName" not in request


def test_there_is_no_scan_and_no_index_among_the_operations():
    source = inspect.getsource(operations)
    assert "IndexName" not in source
    assert not [name for name in vars(operations) if "scan" in name.lower()]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: type(write).__name__)
def test_a_conditional_write_asks_for_the_item_that_refused_it(write):
    request = write.request(NAMES)
    assert request.items() >= ({"TableName": "t-sessions"} | RAW_CONDITION).items()


def test_each_write_carries_what_it_writes():
    put, update, delete, check = (write.request(NAMES) for write in WRITES)
    assert put["Item"] == update["Key"] == delete["Key"] == check["Key"] == RAW_KEY
    assert update["UpdateExpression"] == "SET a = :a"
    assert not any("UpdateExpression" in other for other in (put, delete, check))


def test_a_write_without_a_condition_asks_for_nothing_more():
    bare = Put(table=Table.USERS, item={"uid": b"u", "sk": "U", "em": None})
    assert bare.request(NAMES) == {"TableName": "t-users", "Item": {"uid": {"B": b"u"}, "sk": {"S": "U"}}}


def test_the_same_operation_is_the_same_value():
    assert Delete(table=Table.SESSIONS, key=KEY, **CONDITION) == WRITES[2]
    assert Delete(table=Table.SESSIONS, key=KEY) != WRITES[2]
