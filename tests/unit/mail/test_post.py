from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.message import MailKind, MailMessage
from service.mail.ports import MailRefused, MailUnavailable
from service.mail.post import Post, Retry
from service.mail.render import Renderer

MESSAGE = MailMessage(
    to="ann@example.com",
    template=MailKind.CONFIRM_EMAIL,
    values={"link": "https://a.example/email/verify?token=" + "s" * 43, "code": "493817", "expires_minutes": "30"},
)
RENDERER = Renderer(sender="no-reply@auth.example", service_name="Acme")


@dataclass
class FakeClock:
    slept: list[float] = field(default_factory=list)

    def now_ms(self):
        return 1_800_000_000_000

    def monotonic_seconds(self):
        return 0.0

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class CountingEntropy:
    count: int = 0

    def token_bytes(self, size_bytes):
        self.count += 1
        return self.count.to_bytes(size_bytes, "big")


@dataclass
class Flaky:
    """Raises what it was given, one problem a call, then delivers."""

    problems: list[Exception] = field(default_factory=list)
    sent: list = field(default_factory=list)
    gate: asyncio.Event | None = None
    delivered: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0
    most_in_flight: int = 0

    async def send(self, mail):
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            if self.problems:
                raise self.problems.pop(0)
            self.sent.append(mail)
            self.delivered.set()
        finally:
            self.in_flight -= 1


def post(sender, **changes):
    return Post(
        **({"renderer": RENDERER, "sender": sender, "clock": FakeClock(), "entropy": CountingEntropy()} | changes)
    )


@pytest.fixture(autouse=True)
def _every_line(caplog):
    caplog.set_level(logging.DEBUG)


def logged(caplog):
    records = [record for record in caplog.records if record.name == "service.mail.post"]
    return [(record.message, record.mail_problem) for record in records]


async def test_a_mail_is_delivered_after_announce_has_returned(caplog):
    sender = Flaky()
    desk = post(sender)
    await desk.announce(MESSAGE)
    assert sender.sent == []
    assert await desk.drain(5) == 0
    [mail] = sender.sent
    assert (mail.to, mail.sent_ms, mail.message_id) == ("ann@example.com", 1_800_000_000_000, f"{1:032x}")
    assert logged(caplog) == []


async def test_a_temporary_failure_is_tried_again_with_growing_delays(caplog):
    sender = Flaky([MailUnavailable("away")] * 3)
    clock = FakeClock()
    desk = post(sender, clock=clock)
    await desk.announce(MESSAGE)
    await desk.drain(5)
    assert len(sender.sent) == 1
    assert clock.slept == pytest.approx([0.5, 1.0, 2.0])
    assert logged(caplog) == [("mail not delivered", "away")] * 3


async def test_a_mail_is_given_up_after_the_last_attempt(caplog):
    sender = Flaky([MailUnavailable("away")] * 9)
    desk = post(sender, retry=Retry(attempts=3))
    await desk.announce(MESSAGE)
    assert await desk.drain(5) == 0
    assert len(sender.problems) == 6
    assert logged(caplog)[-1] == ("mail given up", "away")


async def test_a_refused_mail_is_not_tried_again(caplog):
    sender = Flaky([MailRefused("550")])
    clock = FakeClock()
    desk = post(sender, clock=clock)
    await desk.announce(MESSAGE)
    await desk.drain(5)
    assert (sender.sent, clock.slept) == ([], [])
    assert logged(caplog)[-1] == ("mail given up", "550")


async def test_no_more_mails_are_in_flight_than_allowed():
    sender = Flaky()
    desk = post(sender, max_in_flight=3)
    for _ in range(20):
        await desk.announce(MESSAGE)
    assert await desk.drain(5) == 0
    assert len(sender.sent) == 20
    assert sender.most_in_flight == 3


async def test_a_mail_that_waits_for_its_next_attempt_holds_no_slot():
    class Patient(FakeClock):
        async def sleep(self, seconds):
            await woken.wait()

    woken = asyncio.Event()
    sender = Flaky([MailUnavailable("away")])
    desk = post(sender, max_in_flight=1, clock=Patient())
    await desk.announce(MESSAGE)
    await desk.announce(MESSAGE)
    await asyncio.wait_for(sender.delivered.wait(), 5)
    woken.set()
    assert await desk.drain(5) == 0
    assert len(sender.sent) == 2


async def test_a_full_post_drops_the_mail_says_so_and_raises_nothing(caplog):
    sender = Flaky(gate=asyncio.Event())
    desk = post(sender, max_waiting=2)
    for _ in range(3):
        await desk.announce(MESSAGE)
    assert logged(caplog) == [("mail dropped", "stopping or full")]
    sender.gate.set()
    assert await desk.drain(5) == 0
    assert len(sender.sent) == 2


async def test_draining_stops_in_time_and_counts_and_logs_what_is_lost(caplog):
    desk = post(Flaky(gate=asyncio.Event()))
    await desk.announce(MESSAGE)
    await desk.announce(MESSAGE)
    await asyncio.sleep(0)
    assert await desk.drain(0.01) == 2
    assert logged(caplog) == [("mail lost", "the process stopped")] * 2


async def test_nothing_is_taken_on_after_draining(caplog):
    sender = Flaky()
    desk = post(sender)
    assert await desk.drain(1) == 0
    await desk.announce(MESSAGE)
    assert await desk.drain(1) == 0
    assert sender.sent == []
    assert logged(caplog) == [("mail dropped", "stopping or full")]


async def test_an_error_that_nobody_foresaw_is_logged_by_its_type_only(caplog):
    desk = post(Flaky([RuntimeError("to ann@example.com code 493817")]))
    await desk.announce(MESSAGE)
    assert await desk.drain(5) == 0
    assert logged(caplog) == [("mail failed", "RuntimeError")]


async def test_no_log_line_holds_the_address_the_link_or_the_code(caplog):
    desk = post(Flaky([MailUnavailable("away"), RuntimeError(MESSAGE.values["link"])]))
    await desk.announce(MESSAGE)
    await desk.drain(5)
    lines = [str(record.__dict__) for record in caplog.records]
    assert lines
    for secret in ("ann@", "sssss", "493817"):
        assert not any(secret in line for line in lines)
    assert all(record.mail_kind == "confirm_email" for record in caplog.records if record.name == "service.mail.post")


@given(st.integers(1, 10_000), st.binary(min_size=1, max_size=8))
def test_a_delay_lies_in_the_upper_half_of_its_ceiling_and_below_the_longest(failures, chance):
    retry = Retry(first_delay_seconds=1.0, longest_delay_seconds=60.0)
    ceiling = min(60.0, 2.0 ** min(failures - 1, 10))
    assert ceiling / 2 <= retry.delay_seconds(failures=failures, chance=chance) < ceiling
