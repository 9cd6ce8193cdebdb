from __future__ import annotations

import pytest

from service.kernel.entropy import SystemEntropy
from service.store.errors import Conflict
from service.throttle.lanes import Lane
from service.throttle.limits import ACCOUNT
from service.throttle.model import EMPTY, Limited, Tally
from service.throttle.repo import TallyRepo
from tests.support.store import ScriptedDynamo, refused

LANE = Lane(key="account#1", limit=ACCOUNT)
WINDOW = ACCOUNT.window_ms
START = 1_800_000_000_000 - 1_800_000_000_000 % WINDOW
NOW = START + 1


def item(current, *, previous=0, start=START):
    return {"k": LANE.key, "w": start, "c": current, "p": previous, "lt": NOW}


def seen(current, *, previous=0, start=START):
    return Tally(start_ms=start, current=current, previous=previous, last_ms=NOW)


def repo(*answers):
    dynamo = ScriptedDynamo(*answers)
    return TallyRepo(dynamo=dynamo, entropy=SystemEntropy()), dynamo


async def count(*answers, tally=EMPTY, amount=1):
    tallies, dynamo = repo(*answers)
    return await tallies.count(LANE, amount, seen=tally, now_ms=NOW), dynamo.operations


async def reserve(*answers, tally=EMPTY, held=0):
    tallies, dynamo = repo(*answers)
    return await tallies.reserve(LANE, seen=tally, now_ms=NOW, held=lambda: held), dynamo.operations


async def test_the_first_failure_of_a_lane_makes_its_item_if_there_is_none():
    tally, (write,) = await count(item(1))
    assert tally == seen(1)
    assert write.condition == "attribute_not_exists(k)"
    assert (write.values[":w"], write.values[":n"], write.values[":p"]) == (START, 1, 0)


async def test_a_failure_in_the_window_that_was_seen_is_one_add():
    _tally, (write,) = await count(item(3), tally=seen(2))
    assert write.update.endswith("ADD c :n")
    assert write.condition == "w = :w"


async def test_the_first_failure_of_a_window_moves_the_count_if_the_item_is_as_it_was_seen():
    _tally, (write,) = await count(item(1, previous=7), tally=seen(7, start=START - WINDOW))
    assert write.condition == "w = :seen AND c = :seen_c"
    assert (write.values[":p"], write.values[":seen"], write.values[":seen_c"]) == (7, START - WINDOW, 7)


async def test_a_refusal_teaches_the_next_try():
    tally, writes = await count(refused(item(4)), item(5))
    assert tally.current == 5
    assert [write.condition for write in writes] == ["attribute_not_exists(k)", "w = :w"]


async def test_a_count_that_never_settles_is_a_conflict():
    with pytest.raises(Conflict):
        await count(*[refused(item(n, start=START - WINDOW)) for n in range(5)])


async def test_a_reservation_that_never_settles_is_a_conflict():
    with pytest.raises(Conflict):
        await reserve(*[refused(item(n, start=START - WINDOW)) for n in range(5)])


async def test_a_reservation_is_an_add_below_the_limit():
    tally, (write,) = await reserve(item(6), tally=seen(5))
    assert tally == seen(6)
    assert write.condition == "w = :w AND c < :room"
    assert write.values[":room"] == 10


async def test_a_reservation_leaves_room_for_what_is_not_written_yet():
    _tally, (write,) = await reserve(item(6), tally=seen(5), held=3)
    assert write.values[":room"] == 7


async def test_a_reservation_without_room_is_refused_for_a_moment_and_writes_nothing():
    outcome, writes = await reserve(tally=seen(5), held=10)
    assert outcome == Limited(until_ms=NOW + 1000)
    assert writes == []


async def test_a_reservation_refused_only_for_what_is_held_is_refused_for_a_moment():
    outcome, writes = await reserve(refused(item(8)), tally=seen(5), held=2)
    assert outcome == Limited(until_ms=NOW + 1000)
    assert len(writes) == 1


async def test_a_refused_reservation_is_the_answer():
    outcome, _writes = await reserve(refused(item(10)), tally=seen(5))
    assert outcome == Limited(until_ms=NOW + 30_000)


async def test_what_was_seen_may_be_too_high_so_the_write_is_asked_and_not_the_memory():
    outcome, (write,) = await reserve(item(4), tally=seen(12))
    assert outcome == seen(4)
    assert write.values[":room"] == 10


async def test_a_reservation_is_given_back_once_and_never_below_zero():
    tallies, dynamo = repo(refused(item(0)))
    assert await tallies.release(LANE, seen(3)) is None
    assert dynamo.operations[0].condition.startswith("w = :w AND c > :zero AND ")


async def test_a_reservation_whose_window_has_moved_is_given_back_in_the_previous_one():
    tallies, dynamo = repo(
        refused(item(0, previous=3, start=START + WINDOW)), item(0, previous=2, start=START + WINDOW)
    )
    assert await tallies.release(LANE, seen(3)) == seen(0, previous=2, start=START + WINDOW)
    assert dynamo.operations[1].condition.startswith("w = :w AND p > :zero AND ")


async def test_a_reservation_whose_item_is_gone_is_given_back_nowhere():
    tallies, _dynamo = repo(refused(None), refused(None))
    assert await tallies.release(LANE, seen(3)) is None


async def test_an_item_whose_window_lies_years_ahead_is_repaired_by_the_next_failure():
    _tally, (write,) = await count(item(1), tally=seen(50, start=START + 1000 * WINDOW))
    assert (write.values[":w"], write.values[":p"], write.values[":n"]) == (START, 50, 1)
    assert write.values[":seen"] == START + 1000 * WINDOW
