"""The service on a store to which things happen. In one process, so that thousands of cases take a minute."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from botocore.retries import quota
from botocore.retries.standard import ExponentialBackoff
from prometheus_client import CollectorRegistry

from service.base import open_base
from service.cli import context
from service.settings import load
from service.store.lean import retry
from service.telemetry.metrics import Metrics
from tests.support.clock import UnsteadyClock
from tests.support.feed import FEED_KEYS
from tests.support.shared import shared_prefix, templates_are_compiled_once
from tests.support.store_proxy import open_store_proxy
from tests.support.world import World

__all__ = ["shared_prefix", "templates_are_compiled_once"]


@pytest.fixture
def environ(environ, shared_prefix):
    """The service's variables, on the shared tables and with a revocation feed."""
    return {**environ, "KEYTURN_TABLE_PREFIX": shared_prefix, "KEYTURN_REVOCATION_FEED_KEYS": FEED_KEYS}


@pytest.fixture
def clock():
    """A clock that stands still until it is told to move, and that can be wrong."""
    return UnsteadyClock()


@pytest.fixture(autouse=True)
def _retries_are_not_waited_for(monkeypatch):
    """The SDK's pauses between its tries take seconds; ours go by the clock. Neither runs out of tries here.

    Nor does an operator's command wait long for the last event to be written.
    """
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)
    monkeypatch.setattr(quota.RetryQuota, "acquire", lambda _self, _amount: True)
    monkeypatch.setattr(retry.RetryQuota, "take", lambda _self, _failure: 0)
    monkeypatch.setattr(context, "_DRAIN_SECONDS", 0.2)


@pytest.fixture
async def proxy(engine_url):
    """Stands between the store and what is opened with ``through``."""
    async with open_store_proxy(engine_url) as proxy:
        yield proxy


@pytest.fixture
def through(monkeypatch):
    """Whatever is opened from now on has its store at ``url``."""
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)


@pytest.fixture
def open_world(engine_url, environ, open_app, *, clock, proxy, mailbox, through):
    """Opens a world whose service behind the proxy has throttling on, and ``changes`` of its settings besides.

    With ``wholly`` everything is behind the proxy: what is done before and what is looked at after as well.
    """

    @asynccontextmanager
    async def start(changes=None, *, wholly=False):
        settings = load({**environ, "KEYTURN_THROTTLE": "on", **(changes or {})})
        async with AsyncExitStack() as opened:
            through(proxy.url if wholly else engine_url)
            again = await opened.enter_async_context(open_app(load({**environ, **_shared(changes or {})})))
            direct = await opened.enter_async_context(_open(load(environ), clock))
            through(proxy.url)
            client = await opened.enter_async_context(open_app(settings))
            base = await opened.enter_async_context(_open(settings, clock))
            through(engine_url)
            world = World(client, base, again, direct, proxy, mailbox, clock)
            world.rest()
            yield world
            proxy.clear()
            await world.settle()

    return start


def _shared(changes):
    """Those that both services must have."""
    return {name: value for name, value in changes.items() if name == "KEYTURN_REGISTRATION"}


def _open(settings, clock):
    return open_base(settings, Metrics(registry=CollectorRegistry()), clock=clock)
