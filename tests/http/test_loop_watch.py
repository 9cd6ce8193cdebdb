"""The service watches over its own event loop while it serves."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from service.app import create_app
from service.telemetry.metrics import Metrics


async def test_a_service_that_serves_measures_its_event_loop_and_no_longer(settings):
    registry = CollectorRegistry()
    app = create_app(settings, Metrics(registry=registry))

    def ticks():
        return registry.get_sample_value("keyturn_event_loop_lag_seconds_count")

    async with app.router.lifespan_context(app):
        async with asyncio.timeout(30):
            while ticks() < 3:  # noqa: ASYNC110 - a metric tells nobody
                await asyncio.sleep(0.02)
        assert registry.get_sample_value("keyturn_event_loop_tasks") >= 1
    counted = ticks()
    await asyncio.sleep(0.1)
    assert ticks() == counted
