"""One set of tables for all tests of a process, for folders whose tests each use names of their own.

A folder's ``conftest.py`` imports these fixtures; its ``environ`` takes the prefix.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import cache

import pytest
from prometheus_client import CollectorRegistry

import service.mail.render
from service.base import open_base
from service.settings import load
from service.telemetry.metrics import Metrics
from tests.conftest import KEY
from tests.support.tables import make_tables


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once():
    """Each test opens an application of its own: the mails' templates need not be compiled again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.mail.render, "_environment", cache(service.mail.render._environment))
        yield


@pytest.fixture(scope="session")
def shared_prefix(engine_url):
    """The prefix of tables that are migrated once."""
    prefix = f"shared-{uuid.uuid4().hex}"
    settings = load(
        {
            "KEYTURN_ENV": "dev",
            "KEYTURN_ISSUER": "http://localhost:8000",
            "KEYTURN_TABLE_PREFIX": prefix,
            "KEYTURN_REFRESH_KEYS": f"1:{KEY}",
            "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{KEY}",
            "KEYTURN_IDENTITY_KEY": KEY,
        }
    )

    async def migrate():
        async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
            await make_tables(base)

    asyncio.run(migrate())
    return prefix
