"""What the store's port promises, on each engine: values come back, refusals are typed, reasons stand in order."""

from __future__ import annotations

import asyncio

import pytest

from service.store.errors import ConditionFailed, StoreUnavailable, TransactionCancelled
from service.store.operations import Check, Delete, Get, Put, Query, Update
from service.store.table import Table

KEY = {"uid": b"\x00user", "sid": b"\xff"}
ITEM = {**KEY, "g": 0, "st": "a", "h": b"\x00\x01", "ok": True, "tags": ("a", 1)}
IS_FREE = "attribute_not_exists(uid)"


@pytest.fixture(params=["lean", "plain"])
def client_kind(request):
    """The lean client and the SDK's own keep the same promises."""
    return request.param


def put(item=ITEM, **more):
    return Put(table=Table.SESSIONS, item=item, **more)


def get(key=KEY):
    return Get(table=Table.SESSIONS, key=key)


def advance(expected, **more):
    return Update(
        table=Table.SESSIONS,
        key=KEY,
        update="SET g = g + :one, #ttl = :ttl",
        condition="g = :expected",
        values={":one": 1, ":ttl": 7, ":expected": expected},
        names={"#ttl": "ttl"},
        **more,
    )


def name(key):
    return Get(table=Table.IDENTITIES, key={"k": key})


def take(key, owner=b"u"):
    return Put(table=Table.IDENTITIES, item={"k": key, "uid": owner}, condition="attribute_not_exists(k)")


async def test_an_item_comes_back_as_it_was_put(dynamo):
    assert await dynamo.write(put()) is None
    assert await dynamo.get(get()) == ITEM


async def test_nothing_is_read_where_there_is_nothing(dynamo):
    assert await dynamo.get(get()) is None


async def test_what_is_none_is_not_stored(dynamo):
    await dynamo.write(put({**KEY, "n": None, "empty": ""}))
    assert await dynamo.get(get()) == {**KEY, "empty": ""}


async def test_a_conditional_put_goes_where_there_is_nothing_and_answers_what_stood_there(dynamo):
    await dynamo.write(put(condition=IS_FREE))
    with pytest.raises(ConditionFailed) as refusal:
        await dynamo.write(put({**KEY, "g": 9}, condition=IS_FREE))
    assert refusal.value.item == ITEM
    assert await dynamo.get(get()) == ITEM


async def test_an_update_answers_the_whole_new_item(dynamo):
    await dynamo.write(put())
    assert await dynamo.write(advance(0)) == {**ITEM, "g": 1, "ttl": 7}


async def test_a_refused_update_answers_the_item_as_it_was_and_changes_nothing(dynamo):
    await dynamo.write(put())
    with pytest.raises(ConditionFailed) as refusal:
        await dynamo.write(advance(5))
    assert refusal.value.item == ITEM
    assert await dynamo.get(get()) == ITEM


async def test_a_conditional_update_never_makes_an_item(dynamo):
    with pytest.raises(ConditionFailed) as refusal:
        await dynamo.write(advance(0))
    assert refusal.value.item is None
    assert await dynamo.get(get()) is None


async def test_a_delete_answers_what_it_removed_and_nothing_where_there_was_nothing(dynamo):
    await dynamo.write(put())
    delete = Delete(table=Table.SESSIONS, key=KEY)
    assert await dynamo.write(delete) == ITEM
    assert await dynamo.write(delete) is None


async def test_a_refused_delete_answers_the_item_and_leaves_it(dynamo):
    await dynamo.write(put())
    with pytest.raises(ConditionFailed) as refusal:
        await dynamo.write(Delete(table=Table.SESSIONS, key=KEY, condition="st = :r", values={":r": "r"}))
    assert refusal.value.item == ITEM
    assert await dynamo.get(get()) == ITEM


async def test_of_many_writers_with_one_condition_one_wins(dynamo):
    await dynamo.write(put())
    outcomes = await asyncio.gather(*(dynamo.write(advance(0)) for _ in range(20)), return_exceptions=True)
    won = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert [item["g"] for item in won] == [1]
    assert all(isinstance(outcome, ConditionFailed) for outcome in outcomes if outcome not in won)


async def test_a_transaction_writes_all(dynamo):
    await dynamo.write(take("old"))
    user = {"uid": b"u", "sk": "U", "ep": 0}
    await dynamo.transact(
        [
            take("e"),
            Put(table=Table.USERS, item=user),
            Delete(table=Table.IDENTITIES, key={"k": "old"}, condition="uid = :u", values={":u": b"u"}),
        ]
    )
    found = await dynamo.batch_get([name("e"), name("old"), Get(table=Table.USERS, key={"uid": b"u", "sk": "U"})])
    assert found == ({"k": "e", "uid": b"u"}, None, user)


async def test_a_refused_transaction_writes_nothing_and_gives_its_reasons_in_order(dynamo):
    await dynamo.write(take("second", b"other"))
    await dynamo.write(take("fourth", b"another"))
    actions = [
        take("first"),
        take("second"),
        Check(table=Table.USERS, key={"uid": b"u", "sk": "U"}, condition="attribute_not_exists(uid)"),
        take("fourth"),
    ]
    with pytest.raises(TransactionCancelled) as cancelled:
        await dynamo.transact(actions)
    assert [cancelled.value.refused(index) for index in range(4)] == [False, True, False, True]
    assert [reason.item for reason in cancelled.value.reasons] == [
        None,
        {"k": "second", "uid": b"other"},
        None,
        {"k": "fourth", "uid": b"another"},
    ]
    assert await dynamo.get(name("first")) is None


async def test_a_refused_check_stops_the_writes_beside_it(dynamo):
    check = Check(table=Table.USERS, key={"uid": b"u", "sk": "U"}, condition="attribute_exists(uid)")
    with pytest.raises(TransactionCancelled) as cancelled:
        await dynamo.transact([take("e"), check])
    assert cancelled.value.refused(1)
    assert await dynamo.get(name("e")) is None


async def test_transactions_on_one_name_let_one_through_and_the_others_know(dynamo):
    async def register(number):
        try:
            await dynamo.transact([take("wanted", b"%d" % number), take(f"own {number}")])
        except TransactionCancelled as cancelled:
            return cancelled.refused(0)
        return None

    outcomes = await asyncio.gather(*map(register, range(8)))
    assert outcomes.count(None) == 1
    assert outcomes.count(True) == 7


async def test_a_batch_answers_in_the_order_asked_for_with_gaps_and_repeats(dynamo):
    for key in ("b", "a", "c"):
        await dynamo.write(take(key))
    found = await dynamo.batch_get([name(key) for key in ("c", "none", "a", "c", "b")])
    assert [None if item is None else item["k"] for item in found] == ["c", None, "a", "c", "b"]


async def test_a_batch_of_keys_with_two_parts_keeps_them_apart(dynamo):
    others = [{**KEY, "sid": bytes([number])} for number in range(3)]
    for key in others:
        await dynamo.write(put({**key, "g": key["sid"][0]}))
    found = await dynamo.batch_get([get(key) for key in (others[2], KEY, others[0])])
    assert found == ({**others[2], "g": 2}, None, {**others[0], "g": 0})


def sessions(limit, **more):
    return Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": KEY["uid"]}, limit=limit, **more)


@pytest.fixture
async def seven(dynamo):
    for number in range(7):
        await dynamo.write(put({"uid": KEY["uid"], "sid": bytes([number * 40])}))
    await dynamo.write(put({"uid": KEY["uid"] + b"2", "sid": b"x"}))
    return dynamo


def sorts(page):
    return [item["sid"][0] for item in page.items]


async def test_pages_join_without_a_gap_or_a_repeat_and_know_their_end(seven):
    found, start, pages = [], None, 0
    while True:
        page = await seven.query(sessions(3, start=start))
        found, start, pages = found + sorts(page), page.next_start, pages + 1
        if start is None:
            break
    assert found == [0, 40, 80, 120, 160, 200, 240]
    assert pages == 3


async def test_a_page_that_holds_all_is_the_last(seven):
    page = await seven.query(sessions(50))
    assert (sorts(page), page.next_start) == ([0, 40, 80, 120, 160, 200, 240], None)


async def test_a_query_runs_backwards_and_goes_on_backwards(seven):
    first = await seven.query(sessions(2, forward=False))
    second = await seven.query(sessions(2, forward=False, start=first.next_start))
    assert (sorts(first), sorts(second)) == ([240, 200], [160, 120])


async def test_a_partition_without_items_is_an_empty_page(dynamo):
    page = await dynamo.query(sessions(5))
    assert (page.items, page.next_start) == ((), None)


async def test_a_table_that_is_not_there_is_a_store_that_is_away(dynamo):
    with pytest.raises(StoreUnavailable):
        await dynamo.get(Get(table=Table.THROTTLE, key={"k": "x"}))


async def test_an_expression_that_is_wrong_is_a_store_that_is_away_and_no_refusal(dynamo):
    with pytest.raises(StoreUnavailable) as error:
        await dynamo.write(put(condition="g = :missing"))
    assert not isinstance(error.value, ConditionFailed)


async def test_each_call_is_metered_with_its_table(dynamo):
    await dynamo.write(put())
    await dynamo.get(get())
    await dynamo.transact([take("e")])
    assert [(call.operation, call.table, call.failed) for call in dynamo.meter.calls] == [
        ("put_item", "sessions", False),
        ("get_item", "sessions", False),
        ("transact_write_items", "identities", False),
    ]
    assert all(call.units > 0 for call in dynamo.meter.calls)
