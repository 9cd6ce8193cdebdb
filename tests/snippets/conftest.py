"""Each property is one test for two sides: for the snippet it has to fail (strictly), for Keyturn it has to hold."""

from __future__ import annotations

import uuid

import boto3
import pytest

from tests.websession.conftest import dynamodb, item, keys, overwrite, sessions, subject, table, table_name

__all__ = ["dynamodb", "item", "keys", "overwrite", "sessions", "subject", "table", "table_name"]


class Broken(Exception):
    """A property does not hold. No assertion, so that a step before it that fails is an error on both sides."""


def must(holds):
    """The property that a test is about."""
    if not holds:
        raise Broken


def sides(fault, *, snippet="snippet", keyturn="keyturn"):
    """The parameters of a property test: the fixture of the snippet, which has ``fault``, and that of Keyturn."""
    expected = pytest.mark.xfail(strict=True, raises=Broken, reason=fault)
    return [pytest.param(snippet, marks=expected, id="snippet"), pytest.param(keyturn, id="keyturn")]


@pytest.fixture
def side(request):
    """One of the two."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def connect(engine_url):
    """Answers a resource of boto3, as the snippets use it, for an endpoint; closed when the test is over."""
    opened = []

    def open_one(url=engine_url):
        resource = boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=url)
        opened.append(resource)
        return resource

    yield open_one
    for resource in opened:
        resource.meta.client.close()


@pytest.fixture
def snippet_sessions(connect):
    """The table in which the snippets keep sessions."""
    table = connect().create_table(
        TableName=f"snippet-{uuid.uuid4().hex}",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "sid", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sid", "AttributeType": "S"}],
    )
    table.wait_until_exists()
    return table
