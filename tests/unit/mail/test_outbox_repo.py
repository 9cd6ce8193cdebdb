from __future__ import annotations

from service.mail.letter import Place
from service.mail.outbox_repo import Letter, OutboxRepo, put_letter
from service.store.operations import Delete, Put, Query, Update
from service.store.table import Table
from tests.support.store import ScriptedDynamo, page, refused

PLACE = Place(shard="o#1", position="1800000000000#aa")
LETTER = Letter(place=PLACE, sealed=b"sealed", tries=1, claimed_until_ms=500)
KEY = {"pk": PLACE.shard, "sk": PLACE.position}
ITEM = {**KEY, "bx": b"sealed", "tries": 1, "nx": 500, "ttl": 7}


def make(*answers):
    return OutboxRepo(dynamo=ScriptedDynamo(*answers))


async def test_a_letter_is_one_item_that_is_collected_after_three_days():
    repo = make(None)
    action = put_letter(LETTER, now_ms=1_800_000_000_999)
    assert action == Put(table=Table.OUTBOX, item={**ITEM, "ttl": 1_800_000_000 + 3 * 86_400})
    await repo.put(action)
    assert repo.dynamo.operations == [action]


async def test_a_page_is_read_by_shard_and_goes_on_where_it_ended():
    repo = make(page(ITEM, next_start=KEY), page())
    assert await repo.page("o#1", start=None) == ((LETTER,), KEY)
    assert await repo.page("o#1", start=KEY) == ((), None)
    first, second = repo.dynamo.operations
    assert first == Query(table=Table.OUTBOX, condition="pk = :pk", values={":pk": "o#1"}, limit=25, start=None)
    assert second.start == KEY


async def test_a_claim_is_granted_only_as_the_letter_was_seen():
    repo = make({**ITEM, "tries": 2, "nx": 900})
    claimed = await repo.claim(LETTER, until_ms=900)
    assert claimed == Letter(place=PLACE, sealed=b"sealed", tries=2, claimed_until_ms=900)
    assert repo.dynamo.operations == [
        Update(
            table=Table.OUTBOX,
            key=KEY,
            update="SET nx = :until, tries = tries + :one",
            condition="nx = :seen",
            values={":seen": 500, ":until": 900, ":one": 1},
        )
    ]


async def test_a_claim_that_another_has_is_refused():
    assert await make(refused(ITEM)).claim(LETTER, until_ms=900) is None


async def test_a_letter_is_put_off_by_who_holds_it():
    repo = make(ITEM)
    await repo.put_off(LETTER, at_ms=700, more_tries=2)
    assert repo.dynamo.operations == [
        Update(
            table=Table.OUTBOX,
            key=KEY,
            update="SET nx = :at, tries = tries + :more",
            condition="nx = :mine",
            values={":mine": 500, ":at": 700, ":more": 2},
        )
    ]


async def test_a_letter_that_another_has_claimed_since_is_not_put_off():
    await make(refused(ITEM)).put_off(LETTER, at_ms=700)


async def test_what_has_left_is_removed():
    repo = make(None)
    await repo.remove(LETTER)
    assert repo.dynamo.operations == [Delete(table=Table.OUTBOX, key=KEY)]
