"""The store's port on every engine that can be had here."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from service.engines.process import EngineProcess
from service.engines.registry import all_engines
from service.store.client import open_client, open_lean_client
from service.store.dynamo import Dynamo
from service.store.lean.client import LeanClient
from service.store.table import Table, TableNames
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy, RecordingMeter

KEYS = {
    Table.SESSIONS: (("uid", "B"), ("sid", "B")),
    Table.USERS: (("uid", "B"), ("sk", "S")),
    Table.IDENTITIES: (("k", "S"),),
    Table.KEYS: (("use_alg", "S"), ("slot", "N")),
    Table.OUTBOX: (("pk", "S"), ("sk", "S")),
}


@pytest.fixture(scope="session", params=all_engines(), ids=lambda engine: engine.name)
def engine(request):
    if why_not := request.param.available():
        pytest.skip(f"{request.param.name}: {why_not}")
    return request.param


@pytest.fixture(scope="session")
def endpoint_url(engine):
    process = EngineProcess(engine)
    asyncio.run(process.start())
    yield process.endpoint_url
    asyncio.run(process.stop())


@pytest.fixture
def client_kind():
    """Which client the port sends through; the contract is tested with both."""
    return "lean"


@pytest.fixture
async def dynamo(endpoint_url, client_kind, monkeypatch):
    """The port with the service's own client, on fresh tables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint_url)
    names = TableNames(f"store-{uuid.uuid4().hex}")
    opening = (
        open_lean_client(clock=ManualClock(), entropy=CountedEntropy())
        if client_kind == "lean"
        else open_client(validate_parameters=True)
    )
    async with opening as client:
        assert isinstance(client, LeanClient) is (client_kind == "lean")
        for table, keys in KEYS.items():
            await client.create_table(
                TableName=names.of(table),
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": name, "KeyType": role}
                    for (name, _), role in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys],
            )
        yield Dynamo(
            client=client,
            names=names,
            clock=ManualClock(),
            entropy=CountedEntropy(names.prefix),
            meter=RecordingMeter(),
            deadline_seconds=10,
        )
