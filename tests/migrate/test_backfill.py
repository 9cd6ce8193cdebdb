from __future__ import annotations

import time

import pytest

from service.migrate.errors import BackfillIncomplete, StepFailed
from service.migrate.events import BackfillMoved, StepEnded
from service.migrate.runner import apply_all, make_plan
from service.migrate.sample import sample
from service.store.errors import StoreUnavailable

TABLE = """
def steps(step):
    yield step.create_table("throttle", hash_key=("k", "S"))
"""
SPLIT = """
def steps(step):
    yield step.backfill("throttle", version=2, convert=convert, {options})


def convert(item):
    if item.get("kind") == "other":
        return None
    first, last = item.pop("name").split()
    return {{**item, "first": first, "last": last}}
"""


@pytest.fixture
def context_for(context_for):
    """As on AWS: with parallel segments."""
    return lambda client, **changes: context_for(client, **{"embedded": False, **changes})


@pytest.fixture
def split(folder):
    return lambda **options: folder(
        TABLE,
        SPLIT.format(
            options=", ".join(
                f"{name}={value}"
                for name, value in {"units_per_second": 1e6, "segments": 3, "page_items": 2, **options}.items()
            )
        ),
    )


@pytest.fixture
async def table(client, context_for, folder, prefix):
    """The full name of a table of ten items, one of another kind."""
    await apply_all(context_for(client, directory=folder(TABLE)))
    name = f"{prefix}-throttle"
    for index in range(9):
        item = {"k": {"S": f"item{index}"}, "name": {"S": f"Ada L{index}"}, "blob": {"B": b"x"}}
        await client.put_item(TableName=name, Item=item)
    await client.put_item(TableName=name, Item={"k": {"S": "z"}, "kind": {"S": "other"}})
    return name


async def read(client, table):
    return {item["k"]["S"]: item for item in (await client.scan(TableName=table, ConsistentRead=True))["Items"]}


async def test_every_item_is_brought_to_the_new_version_once(client, context_for, split, table):
    events = []
    await apply_all(context_for(client, directory=split()), events.append)
    items = await read(client, table)
    assert items["item3"] == {
        "k": {"S": "item3"},
        "first": {"S": "Ada"},
        "last": {"S": "L3"},
        "blob": {"B": b"x"},
        "sv": {"N": "2"},
    }
    assert items["z"] == {"k": {"S": "z"}, "kind": {"S": "other"}}
    moved = [event for event in events if isinstance(event, BackfillMoved)]
    assert max((event.scanned, event.changed) for event in moved) == (10, 9)
    (ended,) = [event for event in events if isinstance(event, StepEnded)]
    assert ended.note == "9 of 10 item(s) changed, 0 refused"


async def test_a_live_writer_wins_over_the_backfill(client, context_for, split, table):
    """The item is changed between the scan and the write, by code that knows nothing of the new version."""

    class Meddler:
        def __getattr__(self, operation):
            async def call(**request):
                if operation == "update_item" and request["TableName"] == table and not self.__dict__.get("done"):
                    self.__dict__["done"] = request["Key"]["k"]["S"]
                    await client.put_item(TableName=table, Item={**request["Key"], "name": {"S": "New Name"}})
                return await getattr(client, operation)(**request)

            return call

    meddler = Meddler()
    await apply_all(context_for(meddler, directory=split()))
    item = (await read(client, table))[meddler.done]
    assert (item["first"], item["last"]) == ({"S": "New"}, {"S": "Name"})


async def test_an_item_deleted_meanwhile_stays_deleted(client, context_for, split, table):
    class Deleter:
        def __getattr__(self, operation):
            async def call(**request):
                if operation == "update_item" and request["TableName"] == table:
                    await client.delete_item(TableName=table, Key=request["Key"])
                return await getattr(client, operation)(**request)

            return call

    await apply_all(context_for(Deleter(), directory=split(), embedded=True))
    assert set(await read(client, table)) == {"z"}


async def test_an_item_that_changes_at_every_attempt_is_listed(client, context_for, split, table):
    class Storm:
        count = 0

        def __getattr__(self, operation):
            async def call(**request):
                if operation == "update_item" and request["TableName"] == table and request["Key"]["k"]["S"] == "item1":
                    Storm.count += 1
                    item = {**request["Key"], "name": {"S": f"New Name{Storm.count}"}}
                    await client.put_item(TableName=table, Item=item)
                return await getattr(client, operation)(**request)

            return call

    with pytest.raises(BackfillIncomplete):
        await apply_all(context_for(Storm(), directory=split()))
    assert "sv" not in (await read(client, table))["item1"]


async def test_items_that_the_function_refuses_are_listed_and_the_migration_is_not_done(
    client, context_for, split, table, prefix
):
    await client.put_item(TableName=table, Item={"k": {"S": "bad"}, "name": {"S": "Single"}})
    await client.put_item(TableName=table, Item={"k": {"S": "float"}, "name": {"N": "1.5"}})
    directory = split()
    with pytest.raises(BackfillIncomplete, match=r"0002_step: the backfill of throttle left 2 item\(s\)"):
        await apply_all(context_for(client, directory=directory))
    meta = (await client.scan(TableName=f"{prefix}-meta"))["Items"]
    listed = {item["key"]["M"]["k"]["S"]: item["reason"]["S"] for item in meta if item["pk"]["S"].startswith("poison#")}
    assert listed == {
        "bad": "ValueError at 0002_step.py:9",
        "float": "ValueError: a value that no item of the service holds",
    }
    assert "Single" not in str(meta)
    assert len((await make_plan(context_for(client, directory=directory))).pending) == 1


async def test_an_item_mended_by_hand_leaves_the_list_at_the_next_run(client, context_for, split, table):
    await client.put_item(TableName=table, Item={"k": {"S": "bad"}, "name": {"S": "Single"}})
    await client.put_item(TableName=table, Item={"k": {"S": "gone"}, "name": {"N": "1.5"}})
    context = context_for(client, directory=split())
    for _ in range(2):
        with pytest.raises(BackfillIncomplete) as refused:
            await apply_all(context)
        assert refused.value.count == 2
    await client.put_item(TableName=table, Item={"k": {"S": "bad"}, "name": {"S": "Two Names"}})
    await client.delete_item(TableName=table, Key={"k": {"S": "gone"}})
    assert len((await apply_all(context)).applied) == 1
    assert (await read(client, table))["bad"]["last"] == {"S": "Names"}


async def test_refused_items_may_be_allowed(client, context_for, split, table):
    await client.put_item(TableName=table, Item={"k": {"S": "bad"}, "name": {"S": "Single"}})
    report = await apply_all(context_for(client, directory=split(allow_poison=True)))
    assert len(report.applied) == 1


async def test_a_run_that_was_stopped_goes_on_after_its_last_page(*, client, context_for, split, table, spy, successor):
    dying = spy(client, dies_at=22)
    with pytest.raises(StoreUnavailable):
        await apply_all(context_for(dying, directory=split()))
    changed_before = sum("sv" in item for item in (await read(client, table)).values())
    resumed = spy(client)
    await apply_all(context_for(resumed, directory=split(), **successor))
    assert changed_before > 0
    assert resumed.tables.count(("update_item", table)) == 9 - changed_before
    assert all("first" in item or "kind" in item for item in (await read(client, table)).values())


async def test_pages_that_were_acknowledged_are_not_read_again(client, context_for, split, table):
    class Failing:
        scans = 0

        def __getattr__(self, operation):
            async def call(**request):
                if operation == "scan":
                    Failing.scans += 1
                    if Failing.scans == 4:
                        raise ConnectionError
                return await getattr(client, operation)(**request)

            return call

    context = context_for(Failing(), directory=split(), embedded=True)
    with pytest.raises(StoreUnavailable):
        await apply_all(context)
    events = []
    await apply_all(context, events.append)
    # Ten items, two a page, and perhaps an empty one at the end: three pages were done, the fourth failed.
    assert Failing.scans in {6, 7}
    assert events[-2].note == "9 of 10 item(s) changed, 0 refused"


async def _seconds(context):
    started = time.monotonic()
    await apply_all(context)
    return time.monotonic() - started


async def test_the_units_of_writes_are_kept_within_the_pace(client, context_for, split, table):
    paced = context_for(client, directory=split(units_per_second=15, segments=1, page_items=100))
    assert await _seconds(paced) >= 9 / 15


async def test_the_units_of_reads_are_kept_within_the_pace(client, context_for, folder, table):
    nothing = "def steps(step):\n    yield step.backfill('throttle', version=1, convert=lambda item: None, {})\n"
    directory = folder(TABLE, nothing.format("segments=1, page_items=2, units_per_second=8"))
    # Five pages, of which the last is not waited for.
    assert await _seconds(context_for(client, directory=directory)) >= 4 / 8


async def test_a_sample_says_what_would_change_and_writes_nothing(client, context_for, split, table, spy):
    await client.put_item(TableName=table, Item={"k": {"S": "bad"}, "name": {"S": "Single"}})
    watched = spy(client)
    context = context_for(watched, directory=split())
    (migration,) = (await make_plan(context)).pending
    result = await sample(migration.steps[0], context.control, 100)
    assert (result.scanned, result.would_change, len(result.reasons)) == (11, 9, 1)
    assert (await sample(migration.steps[0], context.control, 3)).scanned == 3
    assert set(watched.calls) == {"describe_table", "query", "scan"}


async def test_a_sample_of_a_table_that_is_not_there_yet_is_empty(client, context_for, split):
    context = context_for(client, directory=split())
    migration = (await make_plan(context)).pending[1]
    assert (await sample(migration.steps[0], context.control, 5)).scanned == 0


async def test_a_backfill_of_a_table_that_is_not_there_fails_with_its_name(client, context_for, folder):
    directory = folder("def steps(step):\n    yield step.backfill('users', version=1, convert=dict)\n")
    with pytest.raises(StepFailed, match="0001_step: backfill users to sv 1: there is no such table"):
        await apply_all(context_for(client, directory=directory))
