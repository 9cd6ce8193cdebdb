from __future__ import annotations

import pytest

from service.migrate.drift import Severity
from service.migrate.errors import StepFailed
from service.migrate.runner import apply_all, check, make_plan
from service.store.errors import StoreUnavailable

TWO_TABLES = """
def steps(step):
    yield step.create_table("users", hash_key=("uid", "B"), range_key=("sk", "S"), protected=True)
    yield step.enable_ttl("users")
    yield step.enable_pitr("users")
    yield step.create_table("throttle", hash_key=("k", "S"))
    yield step.protect("throttle")
"""
COUNT_UP = """
def steps(step):
    yield step.backfill("throttle", version=1, convert=convert, segments=2, page_items=2, units_per_second=1e6)


def convert(item):
    return {**item, "count": item["count"] + 1}
"""
ITEMS = 5


async def _fill(client, prefix):
    for index in range(ITEMS):
        item = {"k": {"S": f"item{index}"}, "count": {"N": "0"}}
        await client.put_item(TableName=f"{prefix}-throttle", Item=item)


async def _drop(client, prefix):
    for table in ("meta", "users", "throttle"):
        name = f"{prefix}-{table}"
        try:
            await client.update_table(TableName=name, DeletionProtectionEnabled=False)
            await client.delete_table(TableName=name)
        except client.exceptions.ResourceNotFoundException:
            pass


@pytest.mark.parametrize("late", [False, True], ids=["before it is sent", "after it was applied"])
async def test_after_a_crash_at_any_call_another_run_finishes(
    *, client, context_for, spy, folder, successor, prefix, late
):
    first = folder(TWO_TABLES)
    crashes = 0
    while True:
        dying = spy(client, dies_at=crashes + 1, late=late)
        try:
            await apply_all(context_for(dying, directory=first))
        except StoreUnavailable:
            crashes += 1
        else:
            break
        await apply_all(context_for(client, directory=first, **successor))
        report = await check(context_for(client, directory=first))
        assert report.is_clean, list(map(str, report.findings))
        await _drop(client, prefix)
    assert crashes > 15


@pytest.mark.parametrize("late", [False, True], ids=["before it is sent", "after it was applied"])
async def test_a_backfill_that_crashed_at_any_call_counts_each_item_once(
    *, client, context_for, spy, folder, successor, prefix, late
):
    crashes = 0
    while True:
        await apply_all(context_for(client, directory=folder(TWO_TABLES)))
        await _fill(client, prefix)
        both = folder(TWO_TABLES, COUNT_UP)
        dying = spy(client, dies_at=crashes + 1, late=late)
        try:
            await apply_all(context_for(dying, directory=both))
        except StoreUnavailable:
            crashes += 1
        else:
            break
        await apply_all(context_for(client, directory=both, **successor))
        items = (await client.scan(TableName=f"{prefix}-throttle"))["Items"]
        assert [item["count"]["N"] for item in items] == ["1"] * ITEMS
        assert (await make_plan(context_for(client, directory=both))).pending == ()
        await _drop(client, prefix)
        (both / "0002_step.py").unlink()
    assert crashes > 15


async def test_a_table_that_exists_otherwise_stops_the_run_with_its_name(client, context, folder, prefix):
    await client.create_table(
        TableName=f"{prefix}-throttle",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "other", "AttributeType": "S"}],
    )
    with pytest.raises(StepFailed, match="throttle exists otherwise than declared: keys other S"):
        await apply_all(context)
    assert (await make_plan(context)).pending != ()
    report = await check(context)
    assert not [finding for finding in report.findings if finding.severity is Severity.DRIFT]
