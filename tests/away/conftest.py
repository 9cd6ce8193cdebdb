"""The service as it is wired by default, on one set of tables, while something that it stands on is away."""

from __future__ import annotations

import pytest
from botocore.retries.standard import ExponentialBackoff

from tests.support.live import store, workers
from tests.support.shared import shared_prefix, templates_are_compiled_once
from tests.support.store_proxy import open_store_proxy

__all__ = ["shared_prefix", "store", "templates_are_compiled_once", "workers"]


@pytest.fixture
def environ(environ, shared_prefix):
    names = {"KEYTURN_TABLE_PREFIX": shared_prefix, "KEYTURN_THROTTLE": "on", "KEYTURN_TRUSTED_PROXIES": "alb"}
    return {**environ, **names}


@pytest.fixture
async def proxy(engine_url, monkeypatch):
    """Stands before the store of whatever is opened in the test."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)
    async with open_store_proxy(engine_url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        yield proxy
