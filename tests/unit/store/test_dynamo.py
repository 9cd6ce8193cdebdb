"""The port over a client that answers from a script: no engine does on demand what DynamoDB does on a bad day."""

from __future__ import annotations

import asyncio

import pytest

from service.store.dynamo import Dynamo
from service.store.errors import ConditionFailed, Conflict, StoreUnavailable, Throttled, TransactionCancelled
from service.store.operations import Check, Delete, Get, Put, Query, Update
from service.store.table import Table, TableNames
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy, RecordingMeter, ScriptedClient, client_error

KEY = {"uid": b"u", "sid": b"s"}
RAW = {"uid": {"B": b"u"}, "sid": {"B": b"s"}}
PUT = Put(table=Table.SESSIONS, item=KEY, condition="attribute_not_exists(uid)")
UPDATE = Update(table=Table.SESSIONS, key=KEY, update="SET g = :g", values={":g": 1})
DELETE = Delete(table=Table.SESSIONS, key=KEY)
GET = Get(table=Table.SESSIONS, key=KEY)
QUERY = Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": b"u"}, limit=2)
CONFLICT = "TransactionConflictException"
HELD = [{"Code": "None"}, {"Code": "TransactionConflict"}]


class LowEntropy:
    def token_bytes(self, size_bytes):
        return bytes(size_bytes)


class HighEntropy:
    def token_bytes(self, size_bytes):
        return b"\xff" * size_bytes


def make(*answers, deadline_seconds=5.0, entropy=None):
    return Dynamo(
        client=ScriptedClient(*answers),
        names=TableNames("t"),
        clock=ManualClock(),
        entropy=entropy or CountedEntropy(),
        meter=RecordingMeter(),
        deadline_seconds=deadline_seconds,
    )


def asked(dynamo):
    return [operation for operation, _ in dynamo.client.requests]


def held(*reasons):
    return client_error("TransactionCanceledException", CancellationReasons=list(reasons))


def identity(name):
    return Get(table=Table.IDENTITIES, key={"k": name})


async def test_a_get_answers_the_item_or_nothing():
    dynamo = make({"Item": {**RAW, "g": {"N": "7"}}}, {})
    assert await dynamo.get(GET) == {**KEY, "g": 7}
    assert await dynamo.get(GET) is None
    assert dynamo.client.requests[0] == ("get_item", {**GET.request(dynamo.names), "ReturnConsumedCapacity": "TOTAL"})


async def test_a_query_answers_a_page_and_where_the_next_begins():
    dynamo = make({"Items": [RAW], "LastEvaluatedKey": RAW}, {"Items": []})
    first, last = await dynamo.query(QUERY), await dynamo.query(QUERY)
    assert (first.items, first.next_start) == ((KEY,), KEY)
    assert (last.items, last.next_start) == ((), None)


async def test_an_update_answers_the_new_item_a_delete_the_old_one_and_a_put_nothing():
    dynamo = make({}, {"Attributes": {"g": {"N": "1"}}}, {"Attributes": {"g": {"N": "0"}}}, {})
    assert [await dynamo.write(write) for write in (PUT, UPDATE, DELETE, DELETE)] == [None, {"g": 1}, {"g": 0}, None]
    assert asked(dynamo) == ["put_item", "update_item", "delete_item", "delete_item"]
    assert [request.get("ReturnValues") for _, request in dynamo.client.requests] == [
        None,
        "ALL_NEW",
        "ALL_OLD",
        "ALL_OLD",
    ]


async def test_a_refused_write_is_not_tried_again():
    dynamo = make(client_error("ConditionalCheckFailedException", Item=RAW))
    with pytest.raises(ConditionFailed) as refusal:
        await dynamo.write(PUT)
    assert refusal.value.item == KEY
    assert len(dynamo.client.requests) == 1


async def test_a_conflict_is_tried_again_and_goes_through():
    dynamo = make(client_error(CONFLICT), client_error(CONFLICT), {"Attributes": RAW})
    assert await dynamo.write(UPDATE) == KEY
    assert len(dynamo.clock.slept) == 2


async def test_conflicts_are_tried_again_six_times_and_no_more():
    dynamo = make(*(client_error(CONFLICT) for _ in range(20)))
    with pytest.raises(Conflict):
        await dynamo.write(UPDATE)
    assert len(dynamo.client.requests) == 6


@pytest.mark.parametrize(
    ("entropy", "slept"),
    [
        (LowEntropy(), [0.01, 0.02, 0.04, 0.08, 0.16]),
        (HighEntropy(), [0.03, 0.06, 0.12, 0.24, 0.48]),
    ],
)
async def test_the_wait_between_tries_doubles_and_is_spread_by_half(entropy, slept):
    dynamo = make(*(client_error(CONFLICT) for _ in range(6)), entropy=entropy)
    with pytest.raises(Conflict):
        await dynamo.write(UPDATE)
    assert dynamo.clock.slept == pytest.approx(slept, rel=1e-3)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "AccessDeniedException"])
async def test_what_the_sdk_has_tried_again_already_is_not_tried_here(code):
    dynamo = make(client_error(code))
    with pytest.raises(StoreUnavailable):
        await dynamo.write(UPDATE)
    assert len(dynamo.client.requests) == 1


async def test_a_transaction_names_each_action_in_order():
    actions = [PUT, UPDATE, DELETE, Check(table=Table.USERS, key=KEY, condition="attribute_exists(uid)")]
    dynamo = make({})
    await dynamo.transact(actions)
    ((operation, request),) = dynamo.client.requests
    assert operation == "transact_write_items"
    names = [next(iter(item)) for item in request["TransactItems"]]
    assert names == ["Put", "Update", "Delete", "ConditionCheck"]
    assert [item[name] for item, name in zip(request["TransactItems"], names, strict=True)] == [
        action.request(dynamo.names) for action in actions
    ]


async def test_a_transaction_that_was_held_up_is_tried_again():
    dynamo = make(held(*HELD), client_error("TransactionInProgressException"), {})
    await dynamo.transact([PUT, UPDATE])
    assert len(dynamo.client.requests) == 3


def tokens_of(dynamo):
    return [request["ClientRequestToken"] for _, request in dynamo.client.requests]


async def test_a_transaction_whose_end_is_not_known_is_tried_again_under_the_same_token():
    dynamo = make(client_error("TransactionInProgressException"), {})
    await dynamo.transact([PUT])
    first, again = tokens_of(dynamo)
    assert first == again


async def test_a_transaction_that_was_cancelled_is_tried_again_as_a_request_of_its_own():
    dynamo = make(held(*HELD), {}, {})
    await dynamo.transact([PUT])
    await dynamo.transact([PUT])
    assert len(set(tokens_of(dynamo))) == 3
    assert all(len(token) <= 36 for token in tokens_of(dynamo))


async def test_a_transaction_that_is_held_up_through_every_try_is_a_conflict_and_503():
    dynamo = make(*(held(*HELD) for _ in range(20)))
    with pytest.raises(Conflict):
        await dynamo.transact([PUT, UPDATE])
    assert len(dynamo.client.requests) == 6
    assert len(dynamo.clock.slept) == 5


async def test_a_transaction_with_a_refused_condition_is_not_tried_again():
    dynamo = make(held({"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}))
    with pytest.raises(TransactionCancelled) as cancelled:
        await dynamo.transact([PUT, UPDATE])
    assert cancelled.value.refused(1)
    assert not cancelled.value.refused(0)
    assert len(dynamo.client.requests) == 1


async def test_a_batch_answers_in_the_order_asked_for_with_gaps_and_repeats():
    answer = {"Responses": {"t-identities": [{"k": {"S": "b"}, "uid": {"B": b"2"}}, {"k": {"S": "a"}}]}}
    dynamo = make(answer)
    found = await dynamo.batch_get([identity(name) for name in ("a", "none", "b", "a")])
    assert found == ({"k": "a"}, None, {"k": "b", "uid": b"2"}, {"k": "a"})
    ((_, request),) = dynamo.client.requests
    assert request["RequestItems"]["t-identities"]["ConsistentRead"] is True
    assert [key["k"]["S"] for key in request["RequestItems"]["t-identities"]["Keys"]] == ["a", "none", "b"]


async def test_a_batch_over_two_tables_keeps_them_apart():
    answer = {"Responses": {"t-identities": [{"k": {"S": "a"}}], "t-throttle": [{"k": {"S": "a"}, "n": {"N": "1"}}]}}
    dynamo = make(answer)
    found = await dynamo.batch_get([Get(table=Table.THROTTLE, key={"k": "a"}), identity("a")])
    assert found == ({"k": "a", "n": 1}, {"k": "a"})


async def test_keys_that_a_batch_left_are_asked_for_again():
    left = {"t-identities": {"Keys": [{"k": {"S": "b"}}], "ConsistentRead": True}}
    dynamo = make(
        {"Responses": {"t-identities": [{"k": {"S": "a"}}]}, "UnprocessedKeys": left},
        {"Responses": {"t-identities": [{"k": {"S": "b"}}]}, "UnprocessedKeys": {}},
    )
    assert await dynamo.batch_get([identity("a"), identity("b")]) == ({"k": "a"}, {"k": "b"})
    assert dynamo.client.requests[1][1]["RequestItems"] == left
    assert len(dynamo.clock.slept) == 1


async def test_a_batch_that_never_ends_is_unavailable_and_claims_nothing_missing():
    left = {"t-identities": {"Keys": [{"k": {"S": "a"}}], "ConsistentRead": True}}
    dynamo = make(*({"Responses": {}, "UnprocessedKeys": left} for _ in range(20)))
    with pytest.raises(StoreUnavailable):
        await dynamo.batch_get([identity("a")])
    assert len(dynamo.client.requests) == 6


async def never(_):
    await asyncio.Event().wait()


async def test_a_call_that_is_not_answered_ends_at_its_deadline():
    dynamo = make(never, deadline_seconds=0.01)
    with pytest.raises(StoreUnavailable, match="deadline"):
        await dynamo.get(GET)
    assert [call.failed for call in dynamo.meter.calls] == [True]


async def in_a_moment(_):
    await asyncio.sleep(0.02)
    return client_error(CONFLICT)


@pytest.mark.parametrize("call", ["write", "transact"])
async def test_all_tries_of_a_write_together_end_at_its_deadline(call):
    dynamo = make(*(in_a_moment for _ in range(6)), deadline_seconds=0.05)
    with pytest.raises(StoreUnavailable, match="deadline"):
        await (dynamo.write(UPDATE) if call == "write" else dynamo.transact([UPDATE]))
    assert len(dynamo.client.requests) < 6


async def test_all_tries_of_a_batch_together_end_at_its_deadline():
    async def leaves_it(request):
        await asyncio.sleep(0.02)
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    dynamo = make(*(leaves_it for _ in range(6)), deadline_seconds=0.05)
    with pytest.raises(StoreUnavailable, match="deadline"):
        await dynamo.batch_get([identity("a")])
    assert len(dynamo.client.requests) < 6


@pytest.mark.parametrize("error", [client_error("ThrottlingException"), ConnectionResetError()])
async def test_an_error_of_the_sdk_is_typed(error):
    with pytest.raises(StoreUnavailable):
        await make(error).get(GET)


async def test_throttling_is_told_apart():
    with pytest.raises(Throttled):
        await make(client_error("ProvisionedThroughputExceededException")).query(QUERY)


async def test_a_mistake_of_ours_is_not_dressed_up_as_a_store_that_is_away():
    with pytest.raises(ZeroDivisionError):
        await make(ZeroDivisionError()).get(GET)


@pytest.mark.parametrize(
    ("consumed", "units"),
    [
        ({}, 0.0),
        ({"ConsumedCapacity": {"CapacityUnits": 0.5}}, 0.5),
        ({"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 3.0}, {}]}, 5.0),
    ],
)
async def test_the_meter_is_told_of_the_units_that_an_answer_names(consumed, units):
    dynamo = make({"Items": [], **consumed})
    await dynamo.query(QUERY)
    (call,) = dynamo.meter.calls
    assert (call.operation, call.table, call.units, call.failed) == ("query", "sessions", units, False)


async def test_the_meter_is_told_of_each_try_and_of_the_time_it_took():
    def slowly(_):
        dynamo.clock.advance(seconds=0.25)
        return client_error(CONFLICT)

    dynamo = make(slowly, {"Attributes": RAW})
    await dynamo.write(UPDATE)
    assert [(call.operation, call.seconds, call.failed) for call in dynamo.meter.calls] == [
        ("update_item", 0.25, True),
        ("update_item", 0.0, False),
    ]
