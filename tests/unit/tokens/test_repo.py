from __future__ import annotations

from dataclasses import replace

import pytest

from service.store.codec import decode_item, encode_item
from service.store.operations import Put, Query, Update
from service.store.table import Table
from service.tokens.model import Algorithm
from service.tokens.repo import KeyRepo
from tests.support.store import ScriptedDynamo, page, refused
from tests.unit.tokens.conftest import NOW_MS, make_record

RECORD = make_record(3, NOW_MS, public_jwk={"kty": "EC", "kid": "kid-3"}, wrapped=b"\x00wrapped")
START = {"use_alg": "sig#ES256", "slot": 3}


def make(*answers):
    return KeyRepo(dynamo=ScriptedDynamo(*answers))


async def item_of(record):
    repo = make(None)
    await repo.add(record)
    return decode_item(encode_item(repo.dynamo.operations[0].item))


async def test_a_key_is_put_into_its_slot_where_there_is_none():
    repo = make(None)
    assert await repo.add(RECORD)
    assert repo.dynamo.operations == [
        Put(
            table=Table.KEYS,
            item={
                "use_alg": "sig#ES256",
                "slot": 3,
                "kid": "kid-3",
                "nb": NOW_MS,
                "ct": NOW_MS,
                "pk": b"\x00wrapped",
                "jwk": '{"kid":"kid-3","kty":"EC"}',
                "bad": False,
            },
            condition="attribute_not_exists(use_alg)",
        )
    ]


async def test_a_slot_that_another_process_took_is_left_to_it():
    assert not await make(refused(await item_of(replace(RECORD, kid="other")))).add(RECORD)
    assert not await make(refused(None)).add(RECORD)


async def test_a_put_whose_answer_was_lost_is_known_by_what_stands_there():
    assert await make(refused(await item_of(RECORD))).add(RECORD)


async def test_every_page_of_every_algorithm_is_read():
    second = replace(RECORD, slot=4, bad=True)
    other = replace(RECORD, algorithm=Algorithm.RS256, slot=1)
    repo = make(
        page(await item_of(RECORD), next_start=START),
        page(await item_of(second)),
        page(),
        page(await item_of(other)),
    )
    assert await repo.all() == (RECORD, second, other)
    assert repo.dynamo.operations == [
        Query(table=Table.KEYS, condition="use_alg = :use_alg", values={":use_alg": use}, limit=200, start=start)
        for use, start in (
            ("sig#ES256", None),
            ("sig#ES256", START),
            ("sig#EdDSA", None),
            ("sig#RS256", None),
        )
    ]


async def test_a_key_is_marked_bad_where_it_is():
    repo = make({})
    assert await repo.mark_bad(RECORD)
    assert repo.dynamo.operations == [
        Update(
            table=Table.KEYS,
            key=START,
            update="SET bad = :true",
            condition="attribute_exists(use_alg)",
            values={":true": True},
        )
    ]


@pytest.mark.parametrize("item", [None])
async def test_a_key_that_is_not_there_cannot_be_marked(item):
    assert not await make(refused(item)).mark_bad(RECORD)
