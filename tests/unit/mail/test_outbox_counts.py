"""What became of each mail is counted, by its kind and never by its recipient."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from service.mail.ports import MailRefused, MailUnavailable
from service.mail.retry import Retry
from service.telemetry.metrics import Metrics
from tests.support.clock import ManualClock
from tests.support.outbox import Carrier, Shelf, make_outbox, message


@pytest.fixture
def metrics():
    return Metrics(registry=CollectorRegistry())


async def sent(metrics, *answers, attempts=8, spoil=False):
    shelf, outbox = Shelf(), None
    outbox = make_outbox(
        shelf, Carrier(answers=list(answers)), ManualClock(), meter=metrics, retry=Retry(attempts=attempts)
    )
    announced = outbox.prepare(message())
    if spoil:
        object.__setattr__(announced.letter, "sealed", b"not ours")
    await outbox.store(announced)
    outbox.dispatch(announced)
    await outbox.drain(1)
    return {
        (sample.labels["kind"], sample.labels["outcome"]): sample.value
        for family in metrics.mails.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


async def test_a_mail_that_left(metrics):
    assert await sent(metrics) == {("reset_password", "sent"): 1}


async def test_a_mail_that_is_tried_again_later(metrics):
    assert await sent(metrics, MailUnavailable("away")) == {("reset_password", "put_off"): 1}


async def test_a_mail_that_the_relay_refuses(metrics):
    assert await sent(metrics, MailRefused("no")) == {("reset_password", "given_up"): 1}


async def test_a_mail_that_was_tried_often_enough(metrics):
    assert await sent(metrics, MailUnavailable("away"), attempts=1) == {("reset_password", "given_up"): 1}


async def test_a_letter_that_cannot_be_opened_has_no_kind(metrics):
    assert await sent(metrics, spoil=True) == {("unread", "put_off"): 1}
