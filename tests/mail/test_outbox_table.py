"""The outbox on an engine: claims are conditional writes, and what lies in the table is sealed."""

from __future__ import annotations

import asyncio

from service.mail.outbox import CLAIM_SECONDS
from service.mail.ports import MailUnavailable
from service.store.table import Table
from tests.support.live import items_of
from tests.support.outbox import CODE, TO, TOKEN, message


async def leave(outbox, count):
    for _ in range(count):
        await outbox.store(outbox.prepare(message()))


async def test_a_usual_mail_costs_two_writes_and_no_read(processes, carrier, base, meter):
    await processes[0].announce(message())
    await processes[0].drain(5)
    assert len(carrier.mails) == 1
    assert (meter.wru, meter.rru) == (2, 0)
    assert await items_of(base, Table.OUTBOX) == []


async def test_who_reads_the_table_reads_neither_address_nor_token_nor_code(processes, base):
    await leave(processes[0], 1)
    (item,) = await items_of(base, Table.OUTBOX)
    assert set(item) == {"pk", "sk", "bx", "tries", "nx", "ttl"}
    shown = repr(item).encode() + item["bx"]["B"]
    for secret in (TO, "ada", TOKEN, CODE, "reset_password"):
        assert secret.encode() not in shown


async def test_a_sweep_goes_through_more_letters_than_a_page_holds(processes, carrier, clock, base):
    await asyncio.gather(*(leave(processes[0], 15) for _ in range(10)))
    clock.advance(seconds=CLAIM_SECONDS)
    assert await processes[1].sweep() == 150
    assert len({mail.message_id for mail in carrier.mails}) == 150
    assert await items_of(base, Table.OUTBOX) == []


async def test_each_letter_of_a_dead_process_is_taken_over_by_exactly_one_of_two(processes, carrier, clock):
    await leave(processes[0], 20)
    assert [await process.sweep() for process in processes] == [0, 0]
    clock.advance(seconds=CLAIM_SECONDS)
    assert sum(await asyncio.gather(*(process.sweep() for process in processes))) == 20
    assert len(carrier.mails) == len({mail.message_id for mail in carrier.mails}) == 20


async def test_a_letter_that_was_seen_before_somebody_claimed_it_cannot_be_claimed_again(processes, repo, clock):
    await leave(processes[0], 1)
    pages = [await repo.page(f"o#{number}", start=None) for number in range(4)]
    (letter,) = [letter for letters, _ in pages for letter in letters]
    until_ms = clock.now_ms() + 1000
    claims = await asyncio.gather(*(repo.claim(letter, until_ms=until_ms) for _ in range(10)))
    (claimed,) = [claim for claim in claims if claim is not None]
    assert (claimed.tries, claimed.claimed_until_ms) == (2, until_ms)
    await repo.put_off(letter, at_ms=5)
    assert await repo.claim(claimed, until_ms=until_ms + 1) is not None, "who lost the claim puts nothing off"
    await repo.remove(letter)
    assert await repo.claim(claimed, until_ms=until_ms) is None, "what has left does not come back"


async def test_a_mail_that_is_not_carried_waits_in_the_table_for_its_next_try(processes, carrier, clock, base):
    carrier.answers = [MailUnavailable("away")]
    await processes[0].announce(message())
    await processes[0].drain(5)
    (item,) = await items_of(base, Table.OUTBOX)
    assert int(item["nx"]["N"]) > clock.now_ms()
    clock.advance(seconds=15)
    assert await processes[1].sweep() == 1
    assert len(carrier.mails) == 1
