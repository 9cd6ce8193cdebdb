from __future__ import annotations

import pytest

from tests.support.journeys.stage import Stage
from tests.support.live import client_of, store, workers
from tests.support.store_proxy import open_store_proxy

__all__ = ["store", "workers"]


@pytest.fixture
def environ(environ, request):
    changes = request.getfixturevalue("journey").environ if "journey" in request.fixturenames else {}
    return {**environ, **changes}


@pytest.fixture
async def proxy(engine_url):
    """Stands before the store of whichever worker is started with its address."""
    async with open_store_proxy(engine_url) as proxy:
        yield proxy


@pytest.fixture
async def again(workers):
    """A client of a worker that nothing happens to."""
    async with client_of(await workers.start()) as again:
        yield again


@pytest.fixture
def stage(again, mailbox):
    """Makes the stage of a journey of one more person."""
    return lambda number: Stage(again, mailbox, f"person{number}@example.com")
