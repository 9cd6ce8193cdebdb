"""Looking for letters that others left: pages, streams, and a loop that nothing ends but its own process."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from service.mail.letter import SHARDS
from service.mail.outbox import CLAIM_SECONDS, POLL_SECONDS
from service.mail.ports import MailUnavailable
from tests.support.outbox import TO, make_outbox, message, settle


@asynccontextmanager
async def running(outbox):
    task = asyncio.create_task(outbox.run())
    await settle()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def leave(outbox, count, **fields):
    """Letters whose writer died after the answer."""
    for _ in range(count):
        await outbox.store(outbox.prepare(message(**fields)))


@pytest.mark.parametrize("count", [1, 25, 26, 240])
async def test_a_sweep_goes_through_every_page_of_every_shard(outbox, shelf, carrier, clock, count):
    await leave(outbox, count)
    clock.advance(seconds=CLAIM_SECONDS)
    assert await outbox.sweep() == count
    assert len({mail.message_id for mail in carrier.mails}) == count
    assert shelf.letters == {}


async def test_letters_are_spread_over_all_shards(outbox, shelf):
    await leave(outbox, 60)
    assert {place.shard for place in shelf.letters} == {f"o#{number}" for number in range(SHARDS)}


async def test_one_mail_that_is_not_carried_does_not_keep_the_others(outbox, shelf, carrier, clock):
    await leave(outbox, 5)
    clock.advance(seconds=CLAIM_SECONDS)
    carrier.answers = [MailUnavailable("away"), KeyError("nobody foresaw this")]
    await outbox.sweep()
    assert len(carrier.mails) == 3
    assert len(shelf.letters) == 2


async def test_a_letter_that_does_not_open_does_not_keep_the_others_and_is_given_up_in_the_end(
    outbox, shelf, carrier, clock, caplog
):
    await leave(outbox, 3)
    place, letter = next(iter(shelf.letters.items()))
    object.__setattr__(letter, "sealed", letter.sealed[:-1] + bytes([letter.sealed[-1] ^ 1]))
    clock.advance(seconds=CLAIM_SECONDS)
    assert await outbox.sweep() == 3
    assert len(carrier.mails) == 2
    assert shelf.only.place == place
    for _ in range(outbox.retry.attempts):
        clock.advance(seconds=3600)
        await outbox.sweep()
    assert len(carrier.mails) == 2
    assert shelf.letters == {}
    assert (caplog.records[-1].message, caplog.records[-1].mail_id) == ("mail given up", place.message_id)


@pytest.mark.parametrize(
    "plain",
    [
        [TO, "a_kind_of_a_later_version", {}, "en"],
        [TO, "reset_password", {"a value": "of an earlier version"}, "en"],
        ["no address", "password_changed", {}, "en"],
        [TO, "password_changed"],
        {"to": TO},
    ],
    ids=["kind", "values", "address", "short", "object"],
)
async def test_a_letter_of_another_version_does_not_end_the_sweeping(outbox, shelf, carrier, clock, plain):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "dumps", lambda _: json.JSONEncoder().encode(plain))
        await leave(outbox, 1)
    await leave(outbox, 1)
    async with running(outbox) as task:
        clock.advance(seconds=CLAIM_SECONDS)
        await settle()
        assert not task.done()
    assert [mail.to for mail in carrier.mails] == [TO]
    assert shelf.only.claimed_until_ms > clock.now_ms(), "a worker of that version may carry it"


async def test_the_loop_looks_now_and_then(outbox, clock, shelf):
    async with running(outbox):
        for _ in range(20):
            clock.advance(seconds=POLL_SECONDS * 1.5)
            await settle()
    pauses = [seconds for seconds in clock.slept if seconds >= 5]
    assert len(pauses) == 21
    assert all(POLL_SECONDS * 0.5 <= seconds < POLL_SECONDS * 1.5 for seconds in pauses)
    assert len(set(pauses)) > 5, "workers that started together do not look together"
    assert shelf.calls.count("page") == 20 * SHARDS


@pytest.mark.parametrize("operation", ["page", "claim", "remove"])
async def test_the_loop_survives_a_store_that_is_away(outbox, shelf, carrier, clock, operation):
    await leave(outbox, 1)
    shelf.away[operation] = 1
    async with running(outbox) as task:
        for _ in range(20):
            clock.advance(seconds=CLAIM_SECONDS)
            await settle()
        assert not task.done()
    assert len(carrier.mails) == 1
    assert shelf.letters == {}


async def test_a_mail_that_the_loop_hands_over_while_the_process_ends_is_not_sent_twice(outbox, shelf, carrier, clock):
    await leave(outbox, 1)
    carrier.close()
    async with running(outbox):
        clock.advance(seconds=CLAIM_SECONDS)
        await settle()
        assert carrier.under_way == 1
    carrier.open()
    assert await outbox.drain(5) == 0
    assert len(carrier.mails) == carrier.tries == 1
    assert shelf.letters == {}


async def test_where_a_stream_drives_it_a_letter_is_due_at_once_and_nothing_is_sent_here(shelf, carrier, clock):
    writer = make_outbox(shelf, carrier, clock, sends_itself=False)
    await writer.announce(message())
    await settle()
    assert carrier.tries == 0
    assert shelf.only.claimed_until_ms == 0
    assert shelf.only.tries == 0


async def test_a_stream_takes_a_new_letter_once_however_often_it_delivers_it(shelf, carrier, clock):
    outbox = make_outbox(shelf, carrier, clock, sends_itself=False)
    await outbox.announce(message())
    seen = shelf.only
    assert await asyncio.gather(*(outbox.take(seen) for _ in range(5))) == [True, False, False, False, False]
    assert not await outbox.take(seen)
    assert len(carrier.mails) == 1


async def test_what_a_stream_could_not_deliver_is_due_again_later(shelf, carrier, clock):
    outbox = make_outbox(shelf, carrier, clock, sends_itself=False)
    carrier.answers = [MailUnavailable("away")]
    await outbox.announce(message())
    assert await outbox.take(shelf.only)
    assert shelf.only.tries == 1
    assert not await outbox.take(shelf.only)
    clock.advance(seconds=15)
    assert await outbox.sweep() == 1
    assert len(carrier.mails) == 1
