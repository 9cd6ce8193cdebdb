"""What sends mail where no process of ours goes on running: a function that a stream and a schedule call.

``service.outbox_worker.handler`` is what AWS Lambda is told to call. With the records of the outbox's stream it sends
those letters; with any other event, such as a schedule's, it looks for letters that are due again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from service.base import open_base
from service.mail.opening import open_sender
from service.mail.stream import take_records
from service.settings import load
from service.telemetry.logging import configure
from service.telemetry.metrics import Metrics
from service.wiring.core import build_outbox

if TYPE_CHECKING:
    from service.mail.stream import StreamEvent


def handler(event: StreamEvent, context: object = None) -> dict[str, Any]:  # noqa: ARG001 - Lambda hands it over
    """Send what ``event`` tells of. Raises SettingsError, MailUrlRefused, StoreUnavailable from a sweep."""
    settings = load(os.environ)
    configure(style="json", level=logging.getLevelNamesMapping()[settings.log_level.upper()])
    return asyncio.run(handle(event))


async def handle(event: StreamEvent) -> dict[str, Any]:
    """``handler`` inside of a loop. The store and the sender are opened for this one event."""
    settings = load(os.environ)
    async with (
        open_base(settings, Metrics(registry=CollectorRegistry())) as base,
        open_sender(settings.mail_url.get_secret_value()) as sender,
    ):
        outbox = build_outbox(base, sender)
        if "Records" in event:
            return await take_records(outbox, event)
        return {"claimed": await outbox.sweep()}
