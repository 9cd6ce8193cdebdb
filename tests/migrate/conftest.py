"""A real engine for the session, and contexts that migrate under a prefix of their own."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aioboto3
import pytest

from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.kernel.clock import SystemClock
from service.kernel.entropy import SystemEntropy
from service.migrate.context import MigrateContext
from service.migrate.ledger import Ledger
from service.migrate.lock import Lock
from service.store.client import client_config
from service.store.control import Control
from service.store.dynamo import Dynamo
from service.store.table import TableNames

LEASE_SECONDS = 10.0
FASTER = 400


class HandClock(SystemClock):
    """A monotonic clock that only the test moves; sleeping waits until it did."""

    def __init__(self):
        self.now = 1000.0

    def monotonic_seconds(self):
        return self.now

    async def sleep(self, seconds):
        wake = self.now + seconds
        while self.now < wake:  # noqa: ASYNC110 - the test moves the clock
            await asyncio.sleep(0.001)


class NullMeter:
    def record(self, *, operation, table, seconds, units, failed):
        pass


class FastClock(SystemClock):
    """Time in which a lease of seconds passes in a fraction of one."""

    def __init__(self, factor):
        self.factor = factor

    def monotonic_seconds(self):
        return super().monotonic_seconds() * self.factor

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / self.factor)


@dataclass
class SpyClient:
    """Counts calls; from call ``dies_at`` on every call fails, that one after it was applied if ``late``."""

    inner: object
    dies_at: int = 10**9
    late: bool = False
    calls: list[str] = field(default_factory=list)
    tables: list[tuple[str, str]] = field(default_factory=list)

    def __getattr__(self, operation):
        async def call(**request):
            self.calls.append(operation)
            self.tables.append((operation, request.get("TableName", "")))
            number = len(self.calls)
            if number > self.dies_at or (number == self.dies_at and not self.late):
                raise ConnectionError("the process died")
            answer = await getattr(self.inner, operation)(**request)
            if number == self.dies_at:
                raise ConnectionError("the process died")
            return answer

        return call


def context_on(client, prefix, **changes):
    clock = changes.pop("clock", SystemClock())
    entropy = SystemEntropy()
    names = TableNames(prefix)
    dynamo = Dynamo(client=client, names=names, clock=clock, entropy=entropy, meter=NullMeter(), deadline_seconds=10.0)
    control = Control(client=client, names=names, clock=clock, deadline_seconds=10.0)
    settings = {"embedded": True, **changes}
    return MigrateContext(control=control, dynamo=dynamo, clock=clock, entropy=entropy, **settings)


@pytest.fixture(scope="session")
def engine_url():
    process = EngineProcess(choose("auto"))
    asyncio.run(process.start())
    yield process.endpoint_url
    asyncio.run(process.stop())


@pytest.fixture
def prefix():
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def connect(engine_url):
    @asynccontextmanager
    async def open_one():
        session = aioboto3.Session(
            aws_access_key_id="keyturn", aws_secret_access_key="keyturn", region_name="us-east-1"
        )
        config = client_config(validate_parameters=True)
        async with session.client("dynamodb", endpoint_url=engine_url, config=config) as client:
            yield client

    return open_one


@pytest.fixture
async def client(connect):
    async with connect() as opened:
        yield opened


@pytest.fixture
def context_for(prefix):
    """Build a context on a client; keyword arguments change its fields."""
    return lambda client, **changes: context_on(client, prefix, **changes)


@pytest.fixture
def context(client, context_for):
    return context_for(client)


@pytest.fixture
def spy():
    return SpyClient


@pytest.fixture
def successor():
    """What a context changes for a process that sees a dead one's lease pass at once; its own lasts a real minute."""
    return {"clock": FastClock(FASTER), "lease_seconds": 60.0 * FASTER}


@pytest.fixture
def folder(tmp_path):
    """A folder of migrations written by the test: ``folder(first="...", second="...")`` in order."""

    def write(*sources):
        for number, source in enumerate(sources, start=1):
            (tmp_path / f"{number:04d}_step.py").write_text(source)
        return tmp_path

    return write


@pytest.fixture
def hand_clock():
    return HandClock


@pytest.fixture
async def ledger(context):
    ledger = Ledger(control=context.control, dynamo=context.dynamo)
    await ledger.bootstrap()
    return ledger


@pytest.fixture
def lock_of(context, ledger):
    def make(name, clock=None, dynamo=None):
        return Lock(dynamo=dynamo or context.dynamo, clock=clock or HandClock(), me=name, lease_seconds=LEASE_SECONDS)

    return make
