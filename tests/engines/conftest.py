"""Every engine that can be had here, each running once for the session; where one deviates, the list below says so."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import aioboto3
import pytest
from botocore.config import Config

from service.engines.process import EngineProcess
from service.engines.registry import all_engines

# (engine, test) -> what it does instead. Each is expected to fail, strictly: a repaired engine is noticed.
_NO_BACKUPS = "it does not know UpdateContinuousBackups"
_NO_ENCRYPTION = "it does not know SSESpecification in UpdateTable"
_FLAT_UNITS = "it counts one unit a request whatever the size"
DEVIATIONS: dict[tuple[str, str], str] = {
    ("dynoxide", "test_point_in_time_recovery_is_switched_on"): _NO_BACKUPS,
    ("dynoxide", "test_a_table_is_encrypted_with_a_customer_key"): _NO_ENCRYPTION,
    ("ministack", "test_a_put_of_three_kilobytes_costs_three_units"): _FLAT_UNITS,
    ("ministack", "test_a_put_over_a_larger_item_costs_the_larger"): _FLAT_UNITS,
    ("ministack", "test_a_query_costs_the_sum_of_its_items_rounded_up_once"): _FLAT_UNITS,
    ("ministack", "test_a_batch_costs_one_unit_a_key_found_or_not"): "it reports no capacity for BatchGetItem",
    ("ministack", "test_what_was_acknowledged_survives_the_kill_of_the_engine"): "it saves when it is asked to stop",
    ("dynamodb-local", "test_point_in_time_recovery_is_switched_on"): _NO_BACKUPS,
    ("dynamodb-local", "test_a_table_is_encrypted_with_a_customer_key"): _NO_ENCRYPTION,
    ("dynamodb-local", "test_an_empty_query_costs_one_unit"): "it counts nothing for an empty answer",
    ("dynamodb-local", "test_a_batch_costs_one_unit_a_key_found_or_not"): "it counts nothing for a missing item",
    ("dynamodb-local", "test_one_item_twice_in_a_transaction_is_refused"): "it cancels instead of refusing",
}

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    # The hook is asked about the tests of every folder.
    for item in (item for item in items if item.path.is_relative_to(HERE)):
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")
        reason = engine and DEVIATIONS.get((engine.name, item.originalname))
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


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


@pytest.fixture(scope="session")
def connect():
    """Answers a client for an endpoint; nothing comes from the environment."""
    session = aioboto3.Session(
        aws_access_key_id="keyturn",
        aws_secret_access_key="not-a-secret",
        region_name="us-east-1",
    )
    config = Config(max_pool_connections=64, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)

    @asynccontextmanager
    async def open_client(url):
        async with session.client("dynamodb", region_name="us-east-1", endpoint_url=url, config=config) as client:
            yield client

    return open_client


@pytest.fixture
async def client(endpoint_url, connect):
    async with connect(endpoint_url) as client:
        yield client


@pytest.fixture
async def table(client):
    """A fresh table with a binary partition key ``p`` and a binary sort key ``s``."""
    name = f"contract-{uuid.uuid4().hex}"
    await client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "B"},
            {"AttributeName": "s", "AttributeType": "B"},
        ],
    )
    yield name
    await client.delete_table(TableName=name)
