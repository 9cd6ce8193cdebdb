"""The sessions' conditions on each engine: the write is the rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.sessions.model import RevokeReason, SessionState
from service.sessions.repo import NotRotated, Rotated, SessionRepo, move_to_epoch
from service.store.errors import ConditionFailed, TransactionCancelled
from service.store.operations import Put, Query
from service.store.table import Table
from tests.unit.sessions.conftest import HOUR_MS, MASTERS, NONCE, NOW_MS, RefreshKeys, make_session, make_token

KEYS = RefreshKeys(MASTERS, active_kid=1)
TOKEN = make_token()
NEXT = KEYS.successor(TOKEN, kid=1, nonce=NONCE)
SESSION = make_session(TOKEN)
COALESCE_MS = 48_000


@pytest.fixture
def repo(dynamo):
    return SessionRepo(dynamo=dynamo)


async def rotate(repo, *, presented=TOKEN, now_ms=NOW_MS):
    return await repo.rotate(presented, NEXT, nonce=NONCE, now_ms=now_ms, coalesce_ms=COALESCE_MS, idle_ms=HOUR_MS)


async def test_a_current_token_advances_one_generation(repo):
    await repo.create(SESSION)
    assert await rotate(repo) == Rotated(
        session=replace(
            SESSION,
            generation=1,
            digest=NEXT.digest,
            previous_digest=TOKEN.digest,
            nonce=NONCE,
            kid=1,
            rotated_ms=NOW_MS,
            idle_expiry_ms=NOW_MS + HOUR_MS,
        )
    )


def letter(position, condition=None):
    return Put(table=Table.OUTBOX, item={"pk": "0", "sk": position}, condition=condition)


async def letters(dynamo):
    found = await dynamo.query(Query(table=Table.OUTBOX, condition="pk = :pk", values={":pk": "0"}, limit=9))
    return [item["sk"] for item in found.items]


async def test_a_session_begins_with_the_letter_that_tells_of_it(repo, dynamo):
    await repo.create_and_tell(SESSION, letter("1"))
    assert await repo.load(TOKEN.user_id, TOKEN.session_id) == SESSION
    assert await letters(dynamo) == ["1"]


async def test_no_letter_tells_of_a_session_that_did_not_begin(repo, dynamo):
    taken = replace(SESSION, generation=7)
    await repo.create(taken)
    with pytest.raises(ConditionFailed):
        await repo.create_and_tell(SESSION, letter("1"))
    assert await repo.load(TOKEN.user_id, TOKEN.session_id) == taken
    assert await letters(dynamo) == []


async def test_no_session_begins_without_its_letter(repo):
    with pytest.raises(TransactionCancelled):
        await repo.create_and_tell(SESSION, letter("1", condition="attribute_exists(nothing)"))
    assert await repo.load(TOKEN.user_id, TOKEN.session_id) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": b"z" * 32},
        {"state": SessionState.REVOKED},
        {"idle_expiry_ms": NOW_MS},
        {"absolute_expiry_ms": NOW_MS},
        {"rotated_ms": NOW_MS - COALESCE_MS},
        {"rotated_ms": NOW_MS},
        {"rotated_ms": NOW_MS + 1},
    ],
    ids=str,
)
async def test_a_session_that_may_not_rotate_is_left_as_it_was(repo, changes):
    stored = replace(SESSION, **changes)
    await repo.create(stored)
    assert await rotate(repo) == NotRotated(stored=stored)
    assert (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions == (stored,)


@pytest.mark.parametrize(
    "changes",
    [
        {"idle_expiry_ms": NOW_MS + 1},
        {"absolute_expiry_ms": NOW_MS + 1},
        {"rotated_ms": NOW_MS - COALESCE_MS - 1},
    ],
    ids=str,
)
async def test_a_millisecond_before_the_bound_it_may(repo, changes):
    await repo.create(replace(SESSION, **changes))
    assert isinstance(await rotate(repo), Rotated)


async def test_a_session_that_is_not_there_is_not_made(repo):
    assert await rotate(repo) == NotRotated(stored=None)
    assert (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions == ()


async def test_session_fixation_an_id_in_use_is_not_taken_over(repo):
    await repo.create(SESSION)
    with pytest.raises(ConditionFailed):
        await repo.create(replace(SESSION, digest=NEXT.digest))


async def test_a_session_whose_answer_was_lost_may_be_put_again(repo):
    await repo.create(SESSION)
    await repo.create(SESSION)


async def test_a_revoked_session_stays_revoked_and_keeps_its_first_reason(repo):
    await repo.create(SESSION)
    ids = (TOKEN.user_id, TOKEN.session_id)
    assert await repo.revoke(*ids, reason=RevokeReason.LOGOUT, now_ms=NOW_MS)
    assert not await repo.revoke(*ids, reason=RevokeReason.REUSE, now_ms=NOW_MS + 1)
    (stored,) = (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions
    assert (stored.state, stored.revoke_reason, stored.revoked_ms) == (SessionState.REVOKED, "logout", NOW_MS)
    assert isinstance(await rotate(repo), NotRotated)


async def test_a_session_that_is_not_there_cannot_be_revoked(repo):
    assert not await repo.revoke(TOKEN.user_id, TOKEN.session_id, reason=RevokeReason.LOGOUT, now_ms=NOW_MS)


async def test_an_erased_session_is_gone(repo):
    await repo.create(SESSION)
    await repo.erase(SESSION)
    assert (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions == ()


@pytest.mark.parametrize("epoch", [1, 2])
async def test_the_session_that_raises_the_epoch_may_live_on(repo, dynamo, epoch):
    await repo.create(replace(SESSION, epoch=epoch))
    await dynamo.write(move_to_epoch(TOKEN.user_id, TOKEN.session_id, epoch=2))
    (stored,) = (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions
    assert stored == replace(SESSION, epoch=2)


@pytest.mark.parametrize("changes", [{"epoch": 0}, {"epoch": 1, "state": SessionState.REVOKED}], ids=str)
async def test_a_session_that_was_ended_is_not_revived_by_a_change_of_password(repo, dynamo, changes):
    stored = replace(SESSION, **changes)
    await repo.create(stored)
    with pytest.raises(ConditionFailed):
        await dynamo.write(move_to_epoch(TOKEN.user_id, TOKEN.session_id, epoch=2))
    assert (await repo.page(TOKEN.user_id, limit=5, start=None)).sessions == (stored,)
