"""The outbox: what is announced is stored, leaves once, and is not lost with the process that wrote it."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from service.mail.outbox import CLAIM_SECONDS
from service.mail.ports import MailRefused, MailUnavailable
from service.mail.render import Renderer
from service.mail.retry import Retry
from service.store.errors import StoreUnavailable
from tests.support.outbox import CODE, TO, TOKEN, WalkingClock, make_outbox, message, settle


@pytest.fixture
def other(shelf, carrier, clock):
    """The outbox of another process."""
    return make_outbox(shelf, carrier, clock, seed="other")


async def test_a_mail_is_stored_before_the_answer_and_leaves_after_it(outbox, shelf, carrier):
    await outbox.announce(message())
    assert len(shelf.letters) == 1
    assert carrier.tries == 0
    await outbox.drain(1)
    assert [mail.to for mail in carrier.mails] == [TO]
    assert shelf.calls == ["put", "remove"], "the usual mail costs two writes"
    assert shelf.letters == {}


async def test_a_mail_that_cannot_be_stored_is_not_announced(outbox, shelf, carrier):
    shelf.away["put"] = 1
    with pytest.raises(StoreUnavailable):
        await outbox.announce(message())
    await settle()
    assert carrier.tries == 0


async def test_the_letter_tells_neither_the_address_nor_the_token_nor_the_code(outbox):
    action = outbox.prepare(message()).action
    shown = repr(action.item).encode() + action.item["bx"]
    for secret in (TO, "ada", TOKEN, CODE, "reset_password"):
        assert secret.encode() not in shown


async def test_who_wrote_a_letter_holds_the_first_claim_on_it(outbox, other, shelf, carrier, clock):
    await outbox.store(outbox.prepare(message()))
    clock.advance(seconds=CLAIM_SECONDS - 0.001)
    assert await other.sweep() == 0
    assert not await other.take(shelf.only)
    assert carrier.tries == 0
    assert "claim" not in shelf.calls, "what is not due costs no write"
    clock.advance(seconds=0.001)
    assert await other.sweep() == 1
    assert len(carrier.mails) == 1
    assert shelf.letters == {}


async def test_exactly_one_of_two_takes_over_what_a_dead_process_left(outbox, other, shelf, carrier, clock):
    for _ in range(10):
        await outbox.store(outbox.prepare(message()))
    clock.advance(seconds=CLAIM_SECONDS)
    third = make_outbox(shelf, carrier, clock, seed="third")
    claimed = await asyncio.gather(other.sweep(), third.sweep())
    assert sum(claimed) == len(carrier.mails) == 10
    assert len({mail.message_id for mail in carrier.mails}) == 10


async def test_a_mail_that_is_not_carried_is_tried_later_as_the_same_mail(outbox, other, shelf, carrier, clock):
    carrier.answers = [MailUnavailable("the relay is away")]
    await outbox.announce(message())
    announced_id = shelf.only.place.message_id
    await outbox.drain(1)
    delay_seconds = (shelf.only.claimed_until_ms - clock.now_ms()) / 1000
    assert 7.5 <= delay_seconds <= 15
    clock.advance(seconds=delay_seconds - 0.001)
    assert await other.sweep() == 0
    clock.advance(seconds=0.001)
    assert await other.sweep() == 1
    assert [mail.message_id for mail in carrier.mails] == [announced_id]
    assert shelf.letters == {}


async def test_the_pauses_between_tries_grow(outbox, shelf, carrier, clock):
    carrier.answers = [MailUnavailable("away")] * 5
    await outbox.announce(message())
    await outbox.drain(1)
    pauses = []
    for _ in range(4):
        pauses.append(shelf.only.claimed_until_ms - clock.now_ms())
        clock.advance(seconds=pauses[-1] / 1000)
        assert await outbox.sweep() == 1
    for number, pause_ms in enumerate(pauses):
        assert 7_500 * 2**number <= pause_ms <= 15_000 * 2**number


async def test_a_mail_is_given_up_after_its_last_try_and_the_log_does_not_say_whose(shelf, carrier, clock, caplog):
    outbox = make_outbox(shelf, carrier, clock, retry=Retry(attempts=3))
    carrier.answers = [MailUnavailable("the relay is away")] * 9
    await outbox.announce(message())
    await outbox.drain(1)
    for _ in range(5):
        clock.advance(seconds=3600)
        await outbox.sweep()
    assert carrier.tries == 3
    assert shelf.letters == {}
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING, logging.ERROR]
    assert caplog.records[-1].message == "mail given up"
    told = repr([record.__dict__ for record in caplog.records])
    assert TO not in told
    assert TOKEN not in told


async def test_a_mail_that_is_refused_is_removed_and_not_tried_again(outbox, shelf, carrier, clock, caplog):
    carrier.answers = [MailRefused("the relay answered 550 to the recipient")]
    await outbox.announce(message())
    await outbox.drain(1)
    clock.advance(seconds=3600)
    assert await outbox.sweep() == 0
    assert carrier.tries == 1
    assert shelf.letters == {}
    assert caplog.records[-1].message == "mail given up"


async def test_a_store_that_is_away_when_a_mail_has_left_does_not_send_it_twice(outbox, other, shelf, carrier):
    shelf.away["remove"] = 5
    await outbox.announce(message())
    await asyncio.gather(outbox.drain(5), other.sweep(), other.sweep())
    assert len(carrier.mails) == 1
    assert shelf.calls.count("remove") == 6
    assert shelf.letters == {}


async def test_a_store_that_stays_away_until_the_claim_ends_leaves_the_letter_to_others(shelf, carrier, caplog):
    clock = WalkingClock()
    outbox = make_outbox(shelf, carrier, clock)
    shelf.away["remove"] = 10_000
    await outbox.announce(message())
    await outbox.drain(5)
    assert caplog.records[-1].message == "mail failed"
    assert len(shelf.letters) == 1
    shelf.away.clear()
    assert await outbox.sweep() == 1
    assert len({mail.message_id for mail in carrier.mails}) == 1, "who gets both sees that they are one"


async def test_a_store_that_is_away_when_a_mail_is_put_off_loses_nothing(outbox, other, shelf, carrier, clock):
    carrier.answers = [MailUnavailable("away")]
    shelf.away["put_off"] = 1
    await outbox.announce(message())
    await outbox.drain(1)
    clock.advance(seconds=CLAIM_SECONDS)
    assert await other.sweep() == 1
    assert len(carrier.mails) == 1


async def test_what_failed_for_a_reason_nobody_foresaw_is_logged_by_its_type_only(outbox, shelf, carrier, caplog):
    carrier.answers = [KeyError(TOKEN)]
    await outbox.announce(message())
    await outbox.drain(1)
    assert caplog.records[-1].mail_problem == "KeyError"
    assert TOKEN not in repr([record.__dict__ for record in caplog.records])
    assert len(shelf.letters) == 1


async def test_no_more_mails_are_handed_over_at_once_than_allowed(shelf, carrier, clock):
    outbox = make_outbox(shelf, carrier, clock, max_in_flight=3)
    carrier.close()
    for _ in range(10):
        await outbox.announce(message())
    await settle()
    carrier.open()
    await outbox.drain(1)
    assert carrier.most_at_once == 3
    assert len(carrier.mails) == 10


@pytest.mark.parametrize("waited_seconds", [CLAIM_SECONDS - 20, CLAIM_SECONDS, CLAIM_SECONDS + 1])
async def test_a_mail_whose_claim_may_end_while_it_is_handed_over_is_left_to_the_next(
    shelf, carrier, clock, waited_seconds
):
    outbox = make_outbox(shelf, carrier, clock, max_in_flight=1)
    carrier.close()
    await outbox.announce(message("first@example.com"))
    await outbox.announce(message("second@example.com"))
    await settle()
    clock.advance(seconds=waited_seconds)
    carrier.open()
    await outbox.drain(1)
    assert [mail.to for mail in carrier.mails] == ["first@example.com"]
    clock.advance(seconds=CLAIM_SECONDS - waited_seconds)
    assert await outbox.sweep() == 1
    assert [mail.to for mail in carrier.mails] == ["first@example.com", "second@example.com"]


async def test_draining_waits_for_what_is_under_way(outbox, carrier):
    carrier.close()
    await outbox.announce(message())
    draining = asyncio.create_task(outbox.drain(5))
    await settle()
    assert not draining.done()
    carrier.open()
    assert await draining == 0
    assert len(carrier.mails) == 1


async def test_draining_ends_in_time_and_what_it_cuts_short_is_sent_by_others(outbox, other, shelf, carrier, clock):
    carrier.close()
    await outbox.announce(message())
    assert await outbox.drain(0.01) == 1
    assert carrier.mails == []
    assert len(shelf.letters) == 1
    carrier.open()
    clock.advance(seconds=CLAIM_SECONDS)
    assert await other.sweep() == 1
    assert len(carrier.mails) == 1


async def test_draining_what_has_nothing_under_way_is_done_at_once(outbox):
    assert await outbox.drain(60) == 0


async def test_the_first_mail_of_a_kind_holds_up_no_event_loop(shelf, carrier, clock, monkeypatch):
    renderer = Renderer(sender="no-reply@auth.example.com", service_name="Auth")
    render, threads = Renderer.render, []

    def noted(renderer, mail, *, message_id):
        threads.append(threading.current_thread() is threading.main_thread())
        return render(renderer, mail, message_id=message_id)

    monkeypatch.setattr(Renderer, "render", noted)
    outbox = make_outbox(shelf, carrier, clock, renderer=renderer)
    for locale in ("en", "en", "de", "de"):
        await outbox.announce(message(locale=locale))
        await outbox.drain(20)
    assert threads == [False, True, False, True], "a thread compiles the templates, and the loop uses them"
    assert len(carrier.mails) == 4
