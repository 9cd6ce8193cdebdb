"""The outbox on the real engine, and applications whose mail does not leave."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

import pytest

import service.wiring.build
from service.mail.outbox_repo import OutboxRepo
from tests.support.outbox import Carrier, make_outbox
from tests.support.store import RecordingMeter


@pytest.fixture
def meter():
    return RecordingMeter()


@pytest.fixture
def repo(base, meter):
    return OutboxRepo(dynamo=replace(base.dynamo, meter=meter))


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def processes(repo, carrier, clock):
    """The outboxes of two processes, on one table and with one carrier."""
    return [make_outbox(repo, carrier, clock, seed=name) for name in ("one", "two")]


@pytest.fixture
def living(base, open_app):
    """An application that goes on: ``async with living() as client``."""
    return lambda: open_app(base.settings)


@pytest.fixture
def doomed(base, open_app, monkeypatch):
    """An application that dies before any of its mails has left: ``async with doomed() as client``."""

    @asynccontextmanager
    async def start():
        with monkeypatch.context() as patch:
            stuck = Carrier(closed=asyncio.Event())
            patch.setattr(service.wiring.build, "open_sender", lambda _: nullcontext(stuck))
            patch.setattr(service.wiring.build, "_DRAIN_SECONDS", 0.01)
            async with open_app(base.settings) as client:
                yield client
            assert stuck.mails == []

    return start
