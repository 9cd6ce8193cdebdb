"""What every test shares: sockets to loopback only, a real engine for the session, and the service on fresh tables."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import certifi
import httpx
import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from prometheus_client import CollectorRegistry

from service.app import create_app
from service.base import open_base
from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.settings import load
from service.telemetry.metrics import Metrics
from tests.support.botocore_files import read_once
from tests.support.clock import ManualClock
from tests.support.counting import uncounted
from tests.support.mailbox import Mailbox
from tests.support.standstill import Standstill
from tests.support.tables import make_tables
from tests.support.unit_engine import need_unit_engine

# A machine's first run builds Hypothesis's tables, and machines are shared: time is no reason to fail.
hypothesis_settings.register_profile(
    "keyturn", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("keyturn")

KEY = base64.b64encode(bytes(range(32))).decode()

UNCOUNTED = frozenset(
    {"benchmarks", "browser", "campaigns", "crashes", "docs", "doors", "engines", "examples", "faults", "interop"}
    | {"loadtests", "races", "revocations", "snippets", "timing"}
)
"""Folders that go over and over the same lines, or measure: coverage doubles their time and would be in their way."""


NEVER_AGAIN = frozenset({"races"})
"""Folders that look for what happens seldom: one failure tells, whatever the machine did."""

standstill = Standstill()


def pytest_sessionstart():
    standstill.start()


def pytest_collection_modifyitems(items):
    """A test that fails while the machine stands still is tried again; the summary shows how it failed."""
    again = pytest.mark.flaky(reruns=2, condition=standstill.was_long)
    for item in items:
        if _folder(item) not in NEVER_AGAIN:
            item.add_marker(again)


def pytest_runtest_setup():
    standstill.forget()


def _folder(item):
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Leave the tests of those folders out of the coverage, with their fixtures and the processes that they start."""
    if _folder(item) not in UNCOUNTED:
        return (yield)
    with uncounted():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks():
    """structlog, where a test has not configured it, draws tracebacks with rich: seconds each, for nobody."""
    structlog.dev.RichTracebackFormatter.__call__ = lambda _self, out, failure: structlog.dev.plain_traceback(
        out, failure
    )


@pytest.fixture(scope="session", autouse=True)
def _aws_of_nobody(tmp_path_factory):
    """No test may reach a real account, whatever the developer's shell says.

    Each client reads the authorities that it trusts, which takes 40 ms for all there are: here it is one.
    """
    authority = tmp_path_factory.mktemp("aws") / "ca.pem"
    first = Path(certifi.where()).read_text("utf-8").partition("-----END CERTIFICATE-----")[:2]
    authority.write_text("".join(first), "utf-8")
    for name in [
        name for name in os.environ if name.startswith(("AWS_", "KEYTURN_")) and name != "KEYTURN_ENGINES_DIR"
    ]:
        del os.environ[name]
    os.environ.update(
        AWS_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="keyturn",
        AWS_SECRET_ACCESS_KEY="not-a-secret",
        AWS_CA_BUNDLE=str(authority),
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    )


@pytest.fixture(scope="session", autouse=True)
def _botocore_reads_its_files_once():
    read_once()


@pytest.fixture(scope="session")
def engine_url(_aws_of_nobody):
    """The fastest engine of this machine, in memory, one for each test process."""
    process = EngineProcess(choose("auto"))
    asyncio.run(process.start())
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = process.endpoint_url
    yield process.endpoint_url
    del os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
    asyncio.run(process.stop())


@pytest.fixture(scope="session")
def unit_engine(_aws_of_nobody):
    """The engine that counts units as DynamoDB does."""
    return need_unit_engine()


@pytest.fixture(autouse=True)
def _logs_as_a_test_finds_them():
    """Commands that run in this process set up logs for themselves; the next test shall not be deaf to warnings."""
    root = logging.getLogger()
    level = root.level
    yield
    structlog.reset_defaults()
    root.setLevel(level)


@pytest.fixture
def clock():
    """A clock that stands still until it is told to move."""
    return ManualClock()


@pytest.fixture
def environ(tmp_path):
    """Variables of a service with cheap hashes; change them before the fixtures that read them are made."""
    return {
        "KEYTURN_ENV": "dev",
        "KEYTURN_ISSUER": "http://localhost:8000",
        "KEYTURN_TABLE_PREFIX": f"t-{uuid.uuid4().hex}",
        "KEYTURN_REFRESH_KEYS": f"1:{KEY}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{KEY}",
        "KEYTURN_IDENTITY_KEY": KEY,
        "KEYTURN_MAIL_URL": f"maildir:{tmp_path / 'mail'}",
        "KEYTURN_BREACH_LIST": "offline",
        # One address signs in for everybody here; tests/throttle turns it on.
        "KEYTURN_THROTTLE": "off",
        "KEYTURN_ARGON2_MEMORY_KIB": "8",
        "KEYTURN_ARGON2_TIME_COST": "1",
    }


@pytest.fixture
def settings(environ):
    return load(environ)


@pytest.fixture
async def base(engine_url, settings, clock):
    """An opened store with all tables, on the manual clock."""
    async with open_base(settings, Metrics(registry=CollectorRegistry()), clock=clock) as base:
        await make_tables(base)
        yield base


@pytest.fixture
def open_app(engine_url, clock):
    """Starts an application on its tables and answers a client for it: ``async with open_app(settings) as client``."""

    @asynccontextmanager
    async def start(settings, *, peer=("127.0.0.1", 50000)):
        app = create_app(settings, Metrics(registry=CollectorRegistry()), clock=clock)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=peer)
            async with httpx.AsyncClient(transport=transport, base_url=settings.issuer) as client:
                client.app = app
                yield client

    return start


@pytest.fixture
async def client(base, settings, open_app):
    """A client of the service on ``base``'s tables."""
    async with open_app(settings) as client:
        yield client


@pytest.fixture
def mailbox(tmp_path):
    """The mails that the service has sent."""
    return Mailbox(tmp_path / "mail")
