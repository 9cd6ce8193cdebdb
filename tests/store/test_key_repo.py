"""Signing keys on each engine: the first write of a slot wins."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.tokens.keyring import KeyRing
from service.tokens.model import Algorithm
from service.tokens.repo import KeyRepo
from tests.unit.tokens.conftest import LIFE, NOW_MS, make_record, make_wrapper


async def test_of_many_that_make_a_slots_key_one_wins(dynamo):
    repo = KeyRepo(dynamo=dynamo)
    made = await asyncio.gather(*(repo.add(make_record(1, NOW_MS, kid=f"kid-{n}")) for n in range(10)))
    assert made.count(True) == 1
    assert len(await repo.all()) == 1


async def test_keys_are_read_back_as_they_were_the_oldest_slot_first(dynamo):
    repo = KeyRepo(dynamo=dynamo)
    records = [make_record(slot, NOW_MS, public_jwk={"kty": "EC"}) for slot in (1, 2, 10)]
    other = make_record(1, NOW_MS, algorithm=Algorithm.EDDSA, kid="other")
    for record in (records[2], other, records[0], records[1]):
        assert await repo.add(record)
    assert await repo.all() == (*records, other)


async def test_a_bad_key_is_marked_where_it_is_and_never_made(dynamo):
    repo = KeyRepo(dynamo=dynamo)
    record = make_record(1, NOW_MS)
    assert not await repo.mark_bad(record)
    assert await repo.all() == ()
    await repo.add(record)
    assert await repo.mark_bad(record)
    assert await repo.all() == (replace(record, bad=True),)


async def test_processes_that_start_at_once_on_an_empty_table_sign_with_one_key(dynamo):
    rings = [
        KeyRing(
            repo=KeyRepo(dynamo=dynamo),
            wrapper=make_wrapper(seed=str(n)),
            clock=dynamo.clock,
            algorithm=Algorithm.ES256,
            life=LIFE,
        )
        for n in range(5)
    ]
    signers = await asyncio.gather(*(ring.signer() for ring in rings))
    assert len({signer.kid for signer in signers}) == 1
