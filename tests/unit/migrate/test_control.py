from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError

from service.store.control import Control, ControlRefused
from service.store.errors import StoreUnavailable
from service.store.table import TableNames
from service.store.table_state import KeyAttribute, backoff_seconds, parse_table

KEYS = (KeyAttribute("k", "S"),)


async def test_a_table_that_another_process_creates_at_the_same_time_is_fine(control):
    assert await control.create("a", KEYS, protected=False, kms_key_id=None) is True
    assert await control.create("a", KEYS, protected=False, kms_key_id=None) is False


async def test_waiting_for_a_table_does_not_sleep_when_it_is_active_at_once(aws, control, clock):
    await control.create("a", KEYS, protected=False, kms_key_id=None)
    aws.tables["p-a"].busy = 0
    await control.wait_until_active("a")
    assert clock.now == 0


async def test_waiting_for_a_table_is_bounded(aws, control, clock):
    await control.create("a", KEYS, protected=False, kms_key_id=None)
    aws.tables["p-a"].busy = 10**6
    with pytest.raises(StoreUnavailable, match="p-a did not become active"):
        await control.wait_until_active("a")
    assert 60 <= clock.now <= 62


async def test_a_table_whose_key_is_being_changed_is_not_settled(aws, control):
    await control.create("a", KEYS, protected=False, kms_key_id="key1")
    await control.wait_until_active("a")
    await control.encrypt("a", "key2")
    state = await control.describe("a")
    assert not state.settled
    assert (await control.wait_until_active("a")).kms_key.endswith("key2")


async def test_a_change_while_another_is_under_way_is_tried_again(aws, control, clock):
    await control.create("a", KEYS, protected=False, kms_key_id=None)
    table = aws.tables["p-a"]
    original = clock.sleep

    async def sleep(seconds):
        await original(seconds)
        table.description["TableStatus"] = "ACTIVE"

    clock.sleep = sleep
    await control.protect("a")
    assert table.description["DeletionProtectionEnabled"] is True


async def test_a_change_that_stays_refused_ends_with_its_reason(aws, control, clock):
    await control.create("a", KEYS, protected=False, kms_key_id=None)
    aws.unknown["update_table"] = "LimitExceededException"
    with pytest.raises(ControlRefused, match="update_table: LimitExceededException") as refused:
        await control.protect("a")
    assert refused.value.refusal == "LimitExceededException"
    assert clock.now >= 60


@pytest.mark.parametrize("method", ["describe", "create"])
async def test_a_refusal_is_not_taken_for_absence(control, method):
    class Denying:
        def __getattr__(self, operation):
            async def call(**_request):
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

            return call

    denied = Control(client=Denying(), names=TableNames("p"), clock=control.clock, deadline_seconds=5.0)
    arguments = {"describe": ("a",), "create": ("a", KEYS)}[method]
    options = {"protected": False, "kms_key_id": None} if method == "create" else {}
    with pytest.raises(ControlRefused, match="AccessDeniedException"):
        await getattr(denied, method)(*arguments, **options)


async def test_a_call_ends_at_its_deadline(control):
    class Hanging:
        async def describe_table(self, **_request):
            await asyncio.Event().wait()

    hanging = Control(client=Hanging(), names=TableNames("p"), clock=control.clock, deadline_seconds=0.01)
    with pytest.raises(StoreUnavailable, match="past its deadline"):
        await hanging.describe("a")


async def test_a_broken_connection_is_an_unavailable_store(control):
    class Broken:
        async def describe_table(self, **_request):
            raise ConnectionError

    broken = Control(client=Broken(), names=TableNames("p"), clock=control.clock, deadline_seconds=5.0)
    with pytest.raises(StoreUnavailable):
        await broken.describe("a")


def test_a_table_is_read_whatever_the_order_of_its_parts():
    state = parse_table(
        {
            "TableStatus": "ACTIVE",
            "KeySchema": [
                {"AttributeName": "sk", "KeyType": "RANGE"},
                {"AttributeName": "uid", "KeyType": "HASH"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "uid", "AttributeType": "B"},
            ],
            "GlobalSecondaryIndexes": [{"IndexName": "g"}],
            "LocalSecondaryIndexes": [{"IndexName": "l"}],
            "ItemCount": 7,
        }
    )
    assert list(map(str, state.keys)) == ["uid B", "sk S"]
    assert state.indexes == {"g", "l"}
    assert (state.billing, state.protected, state.kms_key, state.item_count) == ("PROVISIONED", False, None, 7)


def test_delays_grow_and_are_bounded_together():
    delays = list(backoff_seconds(10))
    assert delays == sorted(delays)
    assert delays[-1] == 2.0
    assert 10 <= sum(delays) < 12
