from __future__ import annotations

from dataclasses import replace

import pytest

from service.sessions import items
from service.sessions.model import RevokeReason, SessionState
from service.sessions.repo import NotRotated, Rotated, SessionRepo, is_alive, move_to_epoch
from service.store.codec import decode_item, encode_item
from service.store.errors import CancelReason, ConditionFailed, StoreUnavailable, TransactionCancelled
from service.store.operations import Check, Delete, Get, Put, Query, Update
from service.store.table import Table
from tests.support.store import ScriptedDynamo, page, refused
from tests.unit.sessions.conftest import HOUR_MS, NONCE, NOW_MS, make_session, make_token

TOKEN = make_token()
SESSION = make_session(TOKEN)
KEY = {"uid": TOKEN.user_id, "sid": TOKEN.session_id}
REVOKED = replace(
    SESSION, state=SessionState.REVOKED, revoke_reason=RevokeReason.LOGOUT.value, revoked_ms=NOW_MS - 1000
)


def stored(session):
    return decode_item(encode_item(items.to_item(session)))


def make(*answers):
    return SessionRepo(dynamo=ScriptedDynamo(*answers))


async def rotate(repo, successor):
    return await repo.rotate(TOKEN, successor, nonce=NONCE, now_ms=NOW_MS, coalesce_ms=48_000, idle_ms=HOUR_MS)


async def revoke(repo):
    return await repo.revoke(TOKEN.user_id, TOKEN.session_id, reason=RevokeReason.LOGOUT, now_ms=NOW_MS)


async def test_a_new_session_is_put_where_there_is_none():
    repo = make(None)
    await repo.create(SESSION)
    assert repo.dynamo.operations == [
        Put(table=Table.SESSIONS, item=items.to_item(SESSION), condition="attribute_not_exists(uid)")
    ]


async def test_a_put_whose_answer_was_lost_is_known_by_what_stands_there():
    await make(refused(stored(SESSION))).create(SESSION)


@pytest.mark.parametrize("item", [None, stored(REVOKED), stored(replace(SESSION, digest=b"z" * 32))])
async def test_session_fixation_an_id_that_is_taken_is_never_overwritten(item):
    with pytest.raises(ConditionFailed):
        await make(refused(item)).create(SESSION)


async def test_a_rotation_is_one_conditional_write(keys):
    successor = keys.successor(TOKEN, kid=2, nonce=NONCE)
    repo = make(stored(SESSION))
    await rotate(repo, successor)
    assert repo.dynamo.operations == [
        Update(
            table=Table.SESSIONS,
            key=KEY,
            update="SET ph = h, h = :next, g = g + :one, n = :nonce, k = :kid, rt = :now, ix = :idle, #ttl = :ttl",
            condition="h = :h AND st = :active AND rt < :last AND ix > :now AND ax > :now",
            values={
                ":h": TOKEN.digest,
                ":active": "a",
                ":last": NOW_MS - 48_000,
                ":now": NOW_MS,
                ":next": successor.digest,
                ":one": 1,
                ":nonce": NONCE,
                ":kid": 2,
                ":idle": NOW_MS + HOUR_MS,
                ":ttl": (NOW_MS + HOUR_MS) // 1000 + 86_400,
            },
            names={"#ttl": "ttl"},
        )
    ]


async def test_a_rotation_never_moves_the_absolute_expiry_or_the_state():
    repo = make(stored(SESSION))
    await rotate(repo, TOKEN)
    (operation,) = repo.dynamo.operations
    assert {part.split(" = ")[0].strip() for part in operation.update.removeprefix("SET ").split(",")}.isdisjoint(
        {"ax", "st", "ep", "uid", "sid"}
    )


async def test_a_rotation_that_went_through_answers_the_session_as_it_is_now(keys):
    following = replace(SESSION, generation=1, rotated_ms=NOW_MS)
    assert await rotate(make(stored(following)), TOKEN) == Rotated(session=following)


@pytest.mark.parametrize("session", [SESSION, REVOKED, None])
async def test_a_refused_rotation_answers_the_session_as_it_was(session):
    repo = make(refused(None if session is None else stored(session)))
    assert await rotate(repo, TOKEN) == NotRotated(stored=session)


async def test_a_session_is_ended_only_while_it_is_active():
    repo = make(stored(REVOKED))
    assert await revoke(repo)
    assert repo.dynamo.operations == [
        Update(
            table=Table.SESSIONS,
            key=KEY,
            update="SET st = :revoked, rr = :reason, rx = :now",
            condition="st = :active",
            values={":active": "a", ":revoked": "r", ":reason": "logout", ":now": NOW_MS},
        )
    ]


@pytest.mark.parametrize("item", [None, stored(REVOKED)])
async def test_ending_what_has_ended_changes_nothing_and_is_told(item):
    assert not await revoke(make(refused(item)))


LETTER = Put(table=Table.OUTBOX, item={"pk": "s", "sk": "1"})


async def revoke_and_tell(repo):
    reason = RevokeReason.REUSE
    return await repo.revoke_and_tell(TOKEN.user_id, TOKEN.session_id, reason=reason, now_ms=NOW_MS, letter=LETTER)


async def test_an_end_that_its_owner_is_told_of_is_written_with_the_letter_or_not_at_all():
    repo = make(None)
    assert await revoke_and_tell(repo)
    ((end, letter),) = repo.dynamo.operations
    assert (end.key, end.condition, end.values[":reason"]) == (KEY, "st = :active", "refresh_token_reuse")
    assert letter == LETTER


async def test_nobody_is_told_twice_of_one_end():
    ended = CancelReason(code="ConditionalCheckFailed", item=stored(REVOKED))
    other = CancelReason(code="None", item=None)
    assert not await revoke_and_tell(make(TransactionCancelled((ended, other))))
    with pytest.raises(TransactionCancelled):
        await revoke_and_tell(make(TransactionCancelled((other, other))))


async def test_a_session_that_its_owner_is_told_of_is_written_with_the_letter_or_not_at_all():
    repo = make(None)
    await repo.create_and_tell(SESSION, LETTER)
    ((session, letter),) = repo.dynamo.operations
    assert (session.condition, session.item) == ("attribute_not_exists(uid)", items.to_item(SESSION))
    assert letter == LETTER


async def test_a_session_whose_id_is_anothers_is_refused_with_its_letter():
    taken = CancelReason(code="ConditionalCheckFailed", item=stored(REVOKED))
    other = CancelReason(code="None", item=None)
    with pytest.raises(ConditionFailed) as refusal:
        await make(TransactionCancelled((taken, other))).create_and_tell(SESSION, LETTER)
    assert refusal.value.item == stored(REVOKED)
    with pytest.raises(TransactionCancelled):
        await make(TransactionCancelled((other, taken))).create_and_tell(SESSION, LETTER)


async def test_a_revocation_that_could_not_be_written_is_not_claimed():
    with pytest.raises(StoreUnavailable):
        await revoke(make(StoreUnavailable("away")))


async def test_a_page_is_read_in_key_order_and_goes_on_where_it_ended():
    repo = make(page(stored(SESSION), stored(REVOKED), next_start=KEY))
    found = await repo.page(TOKEN.user_id, limit=2, start=KEY)
    assert (found.sessions, found.next_start) == ((SESSION, REVOKED), KEY)
    assert repo.dynamo.operations == [
        Query(table=Table.SESSIONS, condition="uid = :uid", values={":uid": TOKEN.user_id}, limit=2, start=KEY)
    ]


async def test_an_erased_session_is_gone_with_what_it_says_of_a_device():
    repo = make(None)
    await repo.erase(SESSION)
    assert repo.dynamo.operations == [Delete(table=Table.SESSIONS, key=KEY)]


async def test_an_end_whose_answer_was_lost_is_known_by_what_stands_there():
    ended = replace(REVOKED, revoked_ms=NOW_MS)
    assert await revoke(make(refused(stored(ended))))
    assert not await revoke(make(refused(stored(replace(ended, revoke_reason=RevokeReason.REUSE.value)))))


@pytest.mark.parametrize("session", [SESSION, REVOKED, None])
async def test_one_session_is_loaded_ended_or_not(session):
    repo = make(None if session is None else stored(session))
    assert await repo.load(TOKEN.user_id, TOKEN.session_id) == session
    assert repo.dynamo.operations == [Get(table=Table.SESSIONS, key=KEY)]


def test_a_session_that_has_ended_carries_no_transaction_and_outlives_no_epoch():
    assert is_alive(TOKEN.user_id, TOKEN.session_id, epoch=3) == Check(
        table=Table.SESSIONS, key=KEY, condition="st = :active AND ep >= :ep", values={":active": "a", ":ep": 3}
    )
    assert move_to_epoch(TOKEN.user_id, TOKEN.session_id, epoch=3) == Update(
        table=Table.SESSIONS,
        key=KEY,
        update="SET ep = :ep",
        condition="st = :active AND ep >= :before",
        values={":active": "a", ":before": 2, ":ep": 3},
    )
