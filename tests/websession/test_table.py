"""The table: what it is, what a site may do with it, and what happens when it does not answer."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
from contextlib import closing, contextmanager

import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from keyturn.websession import people, table
from keyturn.websession.client import DynamoSessionTable, connect
from keyturn.websession.errors import SessionUnavailable
from keyturn.websession.flows import Sessions
from keyturn.websession.seal import Keyring


def test_the_table_collects_garbage_by_ttl_and_has_no_index(dynamodb, table_name):
    live = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert live["AttributeName"] == "ttl"
    description = dynamodb.describe_table(TableName=table_name)["Table"]
    assert "GlobalSecondaryIndexes" not in description
    assert [key["AttributeName"] for key in description["KeySchema"]] == ["pk", "sk"]


def test_the_permissions_are_those_that_are_used_and_no_more(dynamodb, sessions, subject):
    used = set()
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: used.add(model.name), unique_id="used")
    begun = sessions.start({}, subject=subject)
    sessions.open(begun.id.cookie)
    sessions.save(begun, {})
    sessions.rotate(begun, {}, subject=subject, proven=False)
    people.end_all(sessions, subject)
    dynamodb.meta.events.unregister("before-call.dynamodb", unique_id="used")
    statement = table.policy("arn")["Statement"][0]
    # A transaction needs the permissions of its parts, which are used alone as well.
    assert {f"dynamodb:{name}" for name in used - {"TransactWriteItems"}} == set(statement["Action"])
    assert statement["Resource"] == "arn"


def on(url, name):
    ring = Keyring.parse(f"1:{base64.b64encode(bytes(32)).decode()}")
    return Sessions(table=DynamoSessionTable(name=name, client=connect(endpoint_url=url, attempts=1)), keys=ring)


def test_a_store_that_is_away_is_said_to_be_away_for_every_call(sessions):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        free = server.getsockname()[1]
    away, begun = on(f"http://127.0.0.1:{free}", "t"), sessions.start({}, subject="u")
    for call in (
        lambda: away.open(begun.id.cookie),
        lambda: away.start({}),
        lambda: away.save(begun, {}),
        lambda: away.rotate(begun, {}, subject="u", proven=True),
        lambda: away.rotate(begun, {}, subject="u", proven=False),
        lambda: away.end(begun.id),
        lambda: people.list_all(away, "u"),
        lambda: people.end_all(away, "u"),
    ):
        with pytest.raises(SessionUnavailable, match="did not answer"):
            call()


def test_a_table_that_is_not_there_is_no_missing_session(engine_url, sessions):
    begun = sessions.start({})
    with pytest.raises(SessionUnavailable, match="ResourceNotFoundException"):
        on(engine_url, "no-such-table").open(begun.id.cookie)


def test_a_store_that_never_answers_is_given_up(sessions):
    """It accepts connections and is silent: an attempt takes two seconds."""
    begun = sessions.start({})
    with closing(socket.create_server(("127.0.0.1", 0), backlog=16)) as server:
        silent = on(f"http://127.0.0.1:{server.getsockname()[1]}", "t")
        began = time.monotonic()
        with pytest.raises(SessionUnavailable, match="ReadTimeout"):
            silent.open(begun.id.cookie)
        assert time.monotonic() - began < 20


@contextmanager
def conflicts(client, operation, times):
    """DynamoDB answers so where two requests write one item at once, and one of them in a transaction."""
    kind = "TransactionCanceledException" if operation == "TransactWriteItems" else "TransactionConflictException"
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "conflict"}
    if operation == "TransactWriteItems":
        body["CancellationReasons"] = [{"Code": "TransactionConflict"}, {"Code": "None"}]
    left = [times]

    def answer(request, **_):
        if left[0] == 0:
            return None
        left[0] -= 1
        text = json.dumps(body).encode()
        return AWSResponse(request.url, 400, {}, HTTPResponse(io.BytesIO(text), preload_content=False))

    event = f"before-send.dynamodb.{operation}"
    client.meta.events.register(event, answer, unique_id="conflicts")
    yield left
    client.meta.events.unregister(event, unique_id="conflicts")


OPERATIONS = {
    "PutItem": lambda sessions, begun: sessions.start({}),
    "UpdateItem": lambda sessions, begun: sessions.save(begun, {"n": 1}),
    "DeleteItem": lambda sessions, begun: sessions.end(begun.id),
    "TransactWriteItems": lambda sessions, begun: sessions.rotate(begun, {}, subject=None, proven=False),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_write_that_meets_another_one_is_tried_again(dynamodb, sessions, operation):
    begun = sessions.start({})
    with conflicts(dynamodb, operation, 3) as left:
        OPERATIONS[operation](sessions, begun)
    assert left == [0]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_write_that_meets_others_again_and_again_is_unavailable(dynamodb, sessions, operation):
    begun = sessions.start({})
    with conflicts(dynamodb, operation, 1000), pytest.raises(SessionUnavailable, match="all the time"):
        OPERATIONS[operation](sessions, begun)
