"""The service on a store to which things happen. In one process, so that thousands of cases take a minute."""

from __future__ import annotations

import pytest
from botocore.retries.standard import ExponentialBackoff

from tests.support.shared import files_are_parsed_once, shared_prefix
from tests.support.store_proxy import open_store_proxy

__all__ = ["files_are_parsed_once", "shared_prefix"]


@pytest.fixture
def environ(environ, shared_prefix):
    """The service's variables, on the shared tables."""
    return {**environ, "KEYTURN_TABLE_PREFIX": shared_prefix}


@pytest.fixture(autouse=True)
def _retries_are_not_waited_for(monkeypatch):
    """The SDK's pauses between its tries: seconds, and nothing happens in them."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)


@pytest.fixture
async def proxy(engine_url):
    """Stands between the store and what is opened with ``through``."""
    async with open_store_proxy(engine_url) as proxy:
        yield proxy


@pytest.fixture
def through(monkeypatch):
    """Whatever is opened from now on has its store at ``url``."""
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
