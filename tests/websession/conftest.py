"""Web sessions on a table of the real engine, by a clock that is moved; ``during`` lets another request in between."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

import pytest

from keyturn.websession import table as tables
from keyturn.websession.client import DynamoSessionTable, connect
from keyturn.websession.flows import Sessions
from keyturn.websession.model import Lifetimes
from keyturn.websession.seal import Keyring

IDLE, ABSOLUTE = 600, 3600


@dataclass
class InBetween:
    """A table that calls ``before`` or ``after`` once around a method: another request, at the worst moment."""

    table: DynamoSessionTable
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)

    def __getattr__(self, name):
        method = getattr(self.table, name)

        def call(*arguments, **named):
            self.calls.append(name)
            self.before.pop(name, lambda: None)()
            answer = method(*arguments, **named)
            self.after.pop(name, lambda: None)()
            return answer

        return call


@pytest.fixture(scope="session")
def dynamodb(engine_url):
    client = connect(endpoint_url=engine_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def table_name(dynamodb):
    name = f"web-{uuid.uuid4().hex}"
    tables.create(dynamodb, name)
    return name


@pytest.fixture
def table(dynamodb, table_name):
    return InBetween(DynamoSessionTable(name=table_name, client=dynamodb))


@pytest.fixture
def keys():
    import base64

    return Keyring.parse(f"7:{base64.b64encode(secrets.token_bytes(32)).decode()}")


@pytest.fixture
def sessions(table, keys, clock):
    lifetimes = Lifetimes(idle_seconds=IDLE, absolute_seconds=ABSOLUTE)
    return Sessions(table=table, keys=keys, lifetimes=lifetimes, max_bytes=4096, now_ms=clock.now_ms)


@pytest.fixture
def subject():
    """A user of this test alone."""
    return str(uuid.uuid4())


@pytest.fixture
def item(dynamodb, table_name):
    """The item of a session as it lies in the table."""

    def read(session):
        key = {"pk": {"S": session.id.key.pk}, "sk": {"S": session.id.key.sk}}
        return dynamodb.get_item(TableName=table_name, Key=key, ConsistentRead=True).get("Item")

    return read


@pytest.fixture
def overwrite(dynamodb, table_name):
    """Writes to the table as somebody would who may, but has no key."""

    def write(item):
        dynamodb.put_item(TableName=table_name, Item=item)

    return write
