"""Each test runs on both event loops: asyncio's, and uvloop's, on which the service runs."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from tests.support.lean import opened
from tests.support.stub_dynamo import open_stub


def pytest_asyncio_loop_factories():
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def stub():
    async with open_stub() as stub:
        yield stub


@pytest.fixture
async def client(stub):
    async with opened(stub) as client:
        yield client
