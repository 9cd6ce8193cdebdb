"""Fixtures of the service as it runs: worker processes on the system's clock, on fresh tables of the real engine.

A folder's ``conftest.py`` imports them. Variables that a test sets in ``environ`` come first.
"""

from __future__ import annotations

import os
from zlib import crc32

import httpx
import pytest
from prometheus_client import CollectorRegistry

from service.base import open_base
from service.kernel.clock import SystemClock
from service.settings import load
from service.store.table import Table
from service.telemetry.metrics import Metrics
from service.users.items import PROFILE
from tests.support.tables import make_tables
from tests.support.workers import Workers

# The long variants take minutes and are for machines that have them.
LONG = os.environ.get("KEYTURN_LONG") == "1"


def by_turns(name: str, places: int) -> range:
    """All ``places`` in the long variants; else every other, from the first or the second on as ``name`` has it."""
    if LONG or places < 2:
        return range(places)
    return range(crc32(name.encode()) % 2, places, 2)


@pytest.fixture
async def store(engine_url, environ):
    """The opened store of the workers, with all tables."""
    async with open_base(load(environ), Metrics(registry=CollectorRegistry()), clock=SystemClock()) as store:
        await make_tables(store)
        yield store


@pytest.fixture
def workers(store, environ, tmp_path):
    """Starts worker processes; all of them are gone after the test."""
    with Workers({**environ, "KEYTURN_HASH_QUEUE": "2000"}, tmp_path) as workers:
        yield workers


async def items_of(store, table):
    """Every item of a table, in DynamoDB's own form."""
    pages = store.dynamo.client.get_paginator("scan").paginate(TableName=store.dynamo.names.of(table))
    return [item async for page in pages for item in page["Items"]]


async def profiles(store):
    """Every account, tombstones too."""
    return [item for item in await items_of(store, Table.USERS) if item["sk"]["S"] == PROFILE]


def client_of(worker):
    """A client of one worker, for what need not be quick."""
    return httpx.AsyncClient(base_url=worker.url, trust_env=False, timeout=30)
