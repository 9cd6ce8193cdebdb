"""Each call of the store's port meets each fault: it answers what is true, or raises what its callers know."""

from __future__ import annotations

import asyncio
import re
from contextlib import nullcontext
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from service.base import open_base
from service.store.dynamo import Page
from service.store.errors import ConditionFailed, Conflict, StoreUnavailable, Throttled
from service.store.operations import Delete, Get, Put, Query, Update
from service.store.table import Table
from service.telemetry.metrics import Metrics
from tests.support.cases import Cases
from tests.support.store_faults import (
    CONFLICT,
    FINAL,
    FOREIGN,
    NOT_SERVED,
    SERVED,
    SERVED_SILENCE,
    SHORT_PAGE,
    SILENT,
    THROTTLED,
    UNPROCESSED,
)
from tests.support.store_proxy import Span
from tests.support.world import hurrying

KEY = {"uid": b"user", "sid": b"1"}
OTHER, THIRD = {**KEY, "sid": b"2"}, {**KEY, "sid": b"3"}
ITEM, NEW = {**KEY, "g": 1}, {**KEY, "g": 2}
IS_OLD, IS_FREE = "g = :old", "attribute_not_exists(uid)"


def table(operation, **fields):
    return operation(table=Table.SESSIONS, **fields)


GET = table(Get, key=KEY)
QUERY = table(Query, condition="uid = :uid", values={":uid": KEY["uid"]}, limit=10)
UPDATE = table(Update, key=KEY, update="SET g = :new", condition=IS_OLD, values={":old": 1, ":new": 2})
OPERATIONS = {
    "get": (lambda dynamo: dynamo.get(GET), ITEM),
    "query": (lambda dynamo: dynamo.query(QUERY), Page(items=(ITEM, OTHER), next_start=None)),
    "batch get": (lambda dynamo: dynamo.batch_get([GET, table(Get, key=OTHER)]), (ITEM, OTHER)),
    "put": (lambda dynamo: dynamo.write(table(Put, item=NEW)), None),
    "conditional put": (
        lambda dynamo: dynamo.write(table(Put, item=NEW, condition=IS_OLD, values={":old": 1})),
        None,
    ),
    "update": (lambda dynamo: dynamo.write(UPDATE), NEW),
    "delete": (
        lambda dynamo: dynamo.write(table(Delete, key=KEY, condition=IS_OLD, values={":old": 1})),
        ITEM,
    ),
    "transaction": (
        lambda dynamo: dynamo.transact([UPDATE, table(Put, item=THIRD, condition=IS_FREE)]),
        None,
    ),
}
WRITES = ("put", "conditional put", "update", "delete", "transaction")


@pytest.fixture
async def base(engine_url, settings, clock):
    """The store itself."""
    async with open_base(settings, Metrics(registry=CollectorRegistry()), clock=clock) as base:
        yield base


@pytest.fixture(params=["lean", "plain"])
def hasty(request, settings):
    """Settings by which a call may take half a second, with either client."""
    return settings.model_copy(update={"store_deadline_seconds": 5, "store_client": request.param})


@pytest.fixture
async def dynamo(base, hasty, clock, proxy, through):
    """The store behind the proxy."""
    through(proxy.url)
    async with open_base(hasty, Metrics(registry=CollectorRegistry()), clock=clock) as behind:
        yield behind.dynamo


async def lay_out(direct):
    for item in (ITEM, OTHER):
        await direct.write(table(Put, item=item))
    await direct.write(table(Delete, key=THIRD))


async def outcome(call):
    """What a call answers, or what it raises."""
    (answered,) = await asyncio.gather(call, return_exceptions=True)
    return answered


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_that_fails_again_and_again_is_unavailable(base, dynamo, proxy, name):
    cases, (call, _) = Cases(), OPERATIONS[name]
    for fault in (*NOT_SERVED, *FOREIGN, *FINAL, *SERVED, *SILENT, *([CONFLICT] if name in WRITES else [])):
        with cases.case(str(fault)):
            await lay_out(base.dynamo)
            proxy.inject(fault, at=0, span=Span.REST)
            with hurrying(dynamo) if fault in SILENT else nullcontext():
                answered = await outcome(call(dynamo))
            assert len(proxy.struck) == 1 or fault not in FINAL
            if isinstance(answered, ConditionFailed):
                # A second try found what the first had written.
                assert fault in (*SERVED, SERVED_SILENCE)
                continue
            assert isinstance(answered, StoreUnavailable), repr(answered)
            assert isinstance(answered, Conflict) == (fault is CONFLICT)
            # Patience may end before the last try does.
            assert isinstance(answered, Throttled) == (fault in THROTTLED and "deadline" not in str(answered))
    cases.verdict()


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_that_fails_once_is_tried_again(base, dynamo, proxy, name):
    cases, (call, expected) = Cases(), OPERATIONS[name]
    for fault in (*NOT_SERVED, *FOREIGN, *SERVED, *([CONFLICT] if name in WRITES else [])):
        with cases.case(str(fault)):
            await lay_out(base.dynamo)
            proxy.inject(fault, at=0)
            answered = await outcome(call(dynamo))
            assert len(proxy.struck) == 1
            if isinstance(answered, ConditionFailed):
                assert fault in SERVED
            elif isinstance(answered, StoreUnavailable):
                assert fault in FOREIGN
            else:
                assert answered == expected, repr(answered)
    cases.verdict()


@pytest.mark.parametrize("fault", UNPROCESSED, ids=str)
async def test_keys_that_were_not_processed_are_asked_for_again(base, dynamo, proxy, fault):
    await lay_out(base.dynamo)
    call, expected = OPERATIONS["batch get"]
    proxy.inject(fault, at=0)
    assert await call(dynamo) == expected
    assert proxy.seen == ["BatchGetItem"] * 2


async def test_keys_that_are_never_processed_are_unavailable(base, dynamo, proxy):
    await lay_out(base.dynamo)
    proxy.inject(UNPROCESSED[1], at=0, span=Span.REST)
    with pytest.raises(StoreUnavailable):
        await OPERATIONS["batch get"][0](dynamo)


async def test_a_page_that_ends_early_says_where_to_go_on(base, dynamo, proxy):
    await lay_out(base.dynamo)
    proxy.inject(SHORT_PAGE, at=0)
    assert await dynamo.query(QUERY) == Page(items=(ITEM,), next_start=KEY)
    assert await dynamo.query(replace(QUERY, start=KEY)) == Page(items=(OTHER,), next_start=None)


async def test_what_is_logged_of_a_refusal_is_its_name_and_nothing_of_the_request(base, dynamo, proxy):
    await lay_out(base.dynamo)
    for fault in (*THROTTLED, *FINAL, *FOREIGN):
        proxy.inject(fault, at=0, span=Span.REST)
        raised = await outcome(OPERATIONS["update"][0](dynamo))
        assert "as DynamoDB says" not in str(raised)
        assert re.fullmatch(r"update_item: \w+( \(request \w+\))?", raised.detail_for_log)
