"""What nobody can know: whether a mail has left whose answer was lost, or whose process died."""

from __future__ import annotations

import pytest

from service.mail.outbox import CLAIM_SECONDS
from service.mail.ports import MailUnavailable, MailUncertain
from service.mail.retry import Retry
from tests.support.outbox import Carrier, message

HOUR = 3600


class Taking(Carrier):
    """Takes each mail, and then answers as it is told."""

    async def send(self, mail):
        self.mails.append(mail)
        self.tries += 1
        if self.answers:
            raise self.answers.pop(0)


@pytest.fixture
def carrier():
    return Taking()


async def test_a_mail_whose_answer_was_lost_goes_out_again_later_as_the_same_mail(outbox, shelf, carrier, clock):
    carrier.answers = [MailUncertain("no answer")]
    await outbox.announce(message())
    await outbox.drain(1)
    assert (shelf.only.claimed_until_ms - clock.now_ms()) / 1000 == 600
    clock.advance(seconds=600)
    assert await outbox.sweep() == 1
    assert shelf.letters == {}
    assert len(carrier.mails) == 2
    assert len({mail.message_id for mail in carrier.mails}) == 1, "who gets both sees that they are one"


async def test_a_mail_whose_every_answer_is_lost_goes_out_four_times_and_no_more(outbox, shelf, carrier, clock, caplog):
    carrier.answers = [MailUncertain("no answer")] * 20
    await outbox.announce(message())
    await outbox.drain(1)
    for _ in range(20):
        clock.advance(seconds=HOUR)
        await outbox.sweep()
    assert len(carrier.mails) == 4
    assert shelf.letters == {}
    assert caplog.records[-1].message == "mail given up"


async def test_tries_that_certainly_failed_leave_a_mail_all_of_its_tries(outbox, carrier, clock):
    carrier.answers = [MailUnavailable("away")] * 20
    await outbox.announce(message())
    await outbox.drain(1)
    for _ in range(20):
        clock.advance(seconds=HOUR)
        await outbox.sweep()
    assert carrier.tries == Retry().attempts


class Died(Exception):
    """A process ends here, as far as its letter is concerned: it neither removes it nor puts it off."""


async def test_a_mail_over_which_each_process_dies_goes_out_as_often_as_it_may_be_tried(
    outbox, shelf, carrier, clock, caplog
):
    carrier.answers = [Died()] * 30
    await outbox.announce(message())
    await outbox.drain(1)
    for _ in range(20):
        clock.advance(seconds=CLAIM_SECONDS)
        await outbox.sweep()
    assert len(carrier.mails) == Retry().attempts
    assert shelf.letters == {}
    assert [record.message for record in caplog.records].count("mail given up") == 1
