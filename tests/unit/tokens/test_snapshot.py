from __future__ import annotations

import json
from dataclasses import replace

import pytest

from service.tokens import material
from service.tokens.model import Algorithm
from service.tokens.snapshot import take_snapshot, wrap_context
from tests.unit.tokens.conftest import DAY_MS, LIFE, NOW_MS, make_record, make_wrapper


async def stored(slot, begins_ms, *, algorithm=Algorithm.ES256, wrapper=None, **changes):
    key = material.generate(algorithm)
    jwk = material.public_jwk(key, algorithm)
    context = wrap_context(algorithm=algorithm, slot=slot, kid=jwk["kid"])
    sealed = await (wrapper or make_wrapper(seed=str(slot))).wrap(material.to_der(key), context=context)
    return make_record(slot, begins_ms, kid=jwk["kid"], public_jwk=jwk, wrapped=sealed, algorithm=algorithm, **changes)


async def take(*records, algorithm=Algorithm.ES256, now_ms=NOW_MS, wrapper=None):
    return await take_snapshot(
        records, algorithm=algorithm, life=LIFE, now_ms=now_ms, read_at_seconds=5.0, wrapper=wrapper or make_wrapper()
    )


async def test_the_newest_key_that_has_begun_signs():
    old, new = await stored(1, NOW_MS - DAY_MS), await stored(2, NOW_MS)
    signer = (await take(old, new)).signer(now_ms=NOW_MS)
    assert (signer.kid, signer.algorithm) == (new.kid, Algorithm.ES256)
    assert material.public_jwk(signer.key, Algorithm.ES256) == new.public_jwk


async def test_a_pending_key_begins_in_time_without_being_read_again():
    old, new = await stored(1, NOW_MS - DAY_MS), await stored(2, NOW_MS + 1000)
    snapshot = await take(old, new)
    assert snapshot.signer(now_ms=NOW_MS + 999).kid == old.kid
    assert snapshot.signer(now_ms=NOW_MS + 1000).kid == new.kid


async def test_the_served_set_is_what_verifiers_need_and_nothing_private():
    old, new = await stored(1, NOW_MS - DAY_MS), await stored(2, NOW_MS + 1000)
    bad = await stored(3, NOW_MS, bad=True)
    jwks = (await take(old, new, bad)).jwks
    assert json.loads(jwks.body) == {"keys": [old.public_jwk, new.public_jwk]}
    assert set(jwks.keys) == {old.kid, new.kid}
    assert b'"d"' not in jwks.body


async def test_the_entity_tag_changes_with_the_set_and_only_with_it():
    first, second = await stored(1, NOW_MS), await stored(2, NOW_MS + 1000)
    tags = [(await take(*records)).jwks.etag for records in ((first,), (first,), (first, second))]
    assert tags[0] == tags[1] != tags[2]
    assert tags[0].startswith('"')
    assert tags[0].endswith('"')


async def test_a_key_marked_bad_neither_signs_nor_is_opened_or_published():
    bad = await stored(1, NOW_MS, bad=True)
    snapshot = await take(bad)
    assert snapshot.signer(now_ms=NOW_MS) is None
    assert (dict(snapshot.loaded), len(snapshot.jwks.keys)) == ({}, 0)


async def test_a_key_that_does_not_open_is_named_and_still_published():
    foreign = await stored(2, NOW_MS, wrapper=make_wrapper({9: b"9" * 32}, active_kid=9))
    old = await stored(1, NOW_MS - DAY_MS)
    snapshot = await take(old, foreign)
    assert snapshot.closed == {foreign.kid}
    assert snapshot.signer(now_ms=NOW_MS).kid == old.kid
    assert set(snapshot.jwks.keys) == {old.kid, foreign.kid}


@pytest.mark.parametrize("change", [{"slot": 7}, {"wrapped": b"\x01\x01" + bytes(40)}, {"wrapped": b""}])
async def test_a_record_that_somebody_changed_in_the_table_does_not_open(change):
    record = await stored(1, NOW_MS)
    snapshot = await take(replace(record, **change))
    assert snapshot.closed == {record.kid}
    assert snapshot.signer(now_ms=NOW_MS) is None


async def test_a_private_key_swapped_between_two_records_does_not_open():
    first, second = await stored(1, NOW_MS - DAY_MS), await stored(2, NOW_MS)
    swapped = replace(second, wrapped=first.wrapped)
    snapshot = await take(first, swapped)
    assert snapshot.signer(now_ms=NOW_MS).kid == first.kid
    assert snapshot.closed == {second.kid}


async def test_keys_of_another_algorithm_are_published_and_not_opened():
    old = await stored(1, NOW_MS - DAY_MS)
    new = await stored(1, NOW_MS, algorithm=Algorithm.EDDSA)
    snapshot = await take(old, new, algorithm=Algorithm.EDDSA)
    assert set(snapshot.jwks.keys) == {old.kid, new.kid}
    assert set(snapshot.loaded) == {new.kid}
