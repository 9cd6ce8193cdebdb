"""Each condition is the whole rule of its write; what was refused is told apart from what went wrong."""

from __future__ import annotations

import pytest

from service.accounts.pending import MAX_CODE_TRIES, PendingChange, PendingReset
from service.accounts.recovery_repo import Found, RecoveryRepo, Refused
from service.kernel.ids import SessionId
from service.kernel.secret import Secret
from service.store.codec import decode_item, encode_item
from service.store.errors import CancelReason, TransactionCancelled
from service.store.operations import Put, Update
from service.store.table import Table
from service.tokens.user_proof import Proof
from service.users import items
from tests.support.store import ScriptedDynamo, refused
from tests.unit.users.conftest import NOW_MS, make_user

USER = make_user(epoch=3)
SESSION_ID = SessionId(b"s" * 16)
ITEM = decode_item(encode_item(items.to_item(USER)))
RESET = PendingReset(token_digest=b"td", code_digest=b"cc", expires_ms=NOW_MS + 5)
CHANGE = PendingChange(
    token_digest=b"td", code_digest=b"cc", expires_ms=NOW_MS + 5, email="new@example.com", email_key="e1#new"
)
WITH_RESET = {**ITEM, "rd": b"td", "rc": b"cc", "rx": NOW_MS + 5, "rn": 0}
WITH_CHANGE = {
    **ITEM,
    "cd": b"td",
    "cc": b"cc",
    "cx": NOW_MS + 5,
    "cn": 0,
    "ce": "new@example.com",
    "ck": "e1#new",
}
PROOF = Proof(token=Secret("token"), code=Secret("code"), token_digest=b"td", code_digest=b"cc")
LETTER = Put(table=Table.OUTBOX, item={"pk": "o#1", "sk": "x"})
OTHER_LETTER = Put(table=Table.OUTBOX, item={"pk": "o#1", "sk": "other"})
ENTRY = Put(table=Table.REVOCATIONS, item={"pk": "1#1", "sk": "x"})


def make(*answers):
    return RecoveryRepo(dynamo=ScriptedDynamo(*answers))


def cancelled(*codes):
    return TransactionCancelled(tuple(CancelReason(code=code, item=None) for code in codes))


def reset(repo):
    return repo.reset(USER, token_digest=b"td", password_hash="hash", now_ms=NOW_MS, letter=LETTER, entries=[ENTRY])


def change_password(repo):
    return repo.change_password(
        USER, SESSION_ID, old_hash="old", new_hash="new", now_ms=NOW_MS, letter=LETTER, entries=[ENTRY]
    )


def change_email(repo):
    return repo.change_email(USER, CHANGE, now_ms=NOW_MS, letters=[LETTER, OTHER_LETTER])


def forgets_everything(update):
    return items.FORGET_PENDING in update.update


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (None, None),
        (ITEM, Found(user=USER, reset=None, change=None)),
        (WITH_RESET, Found(user=USER, reset=RESET, change=None)),
        (WITH_CHANGE, Found(user=USER, reset=None, change=CHANGE)),
    ],
)
async def test_a_user_is_loaded_with_what_is_pending(item, found):
    assert await make(item).load(USER.user_id) == found


def ask_reset(repo):
    return repo.ask_reset(USER.user_id, PROOF, expires_ms=7, letter=LETTER)


def ask_change(repo):
    return repo.ask_change(USER, PROOF, expires_ms=7, email="n@example.com", email_key="e1#n", letter=LETTER)


async def test_asking_again_replaces_the_proof_and_its_count_in_one_transaction_with_the_letter():
    repo = make(None, None)
    assert await ask_reset(repo)
    assert await ask_change(repo)
    (first, letter), (second, other) = repo.dynamo.operations
    assert letter == other == LETTER
    assert (first.update, first.condition) == ("SET rd = :td, rc = :cc, rx = :xp, rn = :zero", "st = :active")
    assert first.values == {":td": b"td", ":cc": b"cc", ":xp": 7, ":zero": 0, ":active": "active"}
    assert second.update == "SET cd = :td, cc = :cc, cx = :xp, cn = :zero, ce = :email, ck = :key"
    assert second.condition == "st = :active AND ep = :ep"
    assert second.values == {**first.values, ":ep": USER.epoch, ":email": "n@example.com", ":key": "e1#n"}


@pytest.mark.parametrize("ask", [ask_reset, ask_change])
async def test_who_is_not_active_has_nothing_pending_and_gets_no_letter(ask):
    assert not await ask(make(cancelled("ConditionalCheckFailed", "None")))


@pytest.mark.parametrize("ask", [ask_reset, ask_change])
async def test_what_cannot_be_written_is_not_taken_for_somebody_who_is_not_active(ask):
    with pytest.raises(TransactionCancelled):
        await ask(make(cancelled("None", "ThrottlingError")))


async def test_a_try_is_counted_while_any_are_left_and_the_proof_has_not_expired():
    repo = make({**WITH_RESET, "rn": 1}, {**WITH_CHANGE, "cn": 1})
    assert (await repo.try_reset_code(USER.user_id, now_ms=NOW_MS)).reset == RESET
    assert (await repo.try_change_code(USER.user_id, session_epoch=2, now_ms=NOW_MS)).change == CHANGE
    first, second = repo.dynamo.operations
    assert (first.update, first.condition) == ("ADD rn :one", "st = :active AND rx > :now AND rn < :max")
    assert (second.update, second.condition) == (
        "ADD cn :one",
        "st = :active AND ep <= :seen AND cx > :now AND cn < :max",
    )
    assert first.values == {":now": NOW_MS, ":max": MAX_CODE_TRIES, ":one": 1, ":active": "active"}
    assert second.values == {**first.values, ":seen": 2}


async def test_without_a_try_left_nothing_is_compared():
    repo = make(refused(WITH_RESET), refused())
    assert await repo.try_reset_code(USER.user_id, now_ms=NOW_MS) is None
    assert await repo.try_change_code(USER.user_id, session_epoch=2, now_ms=NOW_MS) is None


async def test_a_reset_spends_the_proof_ends_every_session_and_tells_the_owner_at_once():
    repo = make(None)
    assert await reset(repo)
    ((spend, password, letter, entry),) = repo.dynamo.operations
    assert spend.condition == "st = :active AND ep = :ep AND rd = :td AND rx > :now"
    assert spend.values == {":active": "active", ":ep": 3, ":td": b"td", ":now": NOW_MS, ":one": 1}
    assert spend.update.endswith(" ADD ep :one")
    assert forgets_everything(spend)
    assert password == Put(table=Table.USERS, item={"uid": USER.user_id, "sk": "C#pwd", "ph": "hash", "ct": NOW_MS})
    assert (letter, entry) == (LETTER, ENTRY)


async def test_a_change_of_password_replaces_the_one_that_was_checked_and_keeps_one_session():
    repo = make(None)
    assert await change_password(repo)
    ((bump, password, session, letter, entry),) = repo.dynamo.operations
    assert (bump.condition, bump.values) == (
        "st = :active AND ep = :ep",
        {":active": "active", ":ep": 3, ":next": 4},
    )
    assert bump.update.startswith("SET ep = :next ")
    assert forgets_everything(bump)
    assert (password.condition, password.values[":old"]) == ("ph = :old", "old")
    assert isinstance(session, Update)
    assert (session.table, session.values) == (Table.SESSIONS, {":active": "a", ":before": 3, ":ep": 4})
    assert (letter, entry) == (LETTER, ENTRY)


async def test_a_change_of_address_takes_the_new_one_and_gives_the_old_one_back():
    repo = make(None)
    assert await change_email(repo) is None
    ((update, take, release, *letters),) = repo.dynamo.operations
    assert update.condition == "st = :active AND cd = :td AND cx > :now AND ek = :old"
    assert forgets_everything(update)
    assert (take.item["k"], take.item["uid"], release.key) == ("e1#new", USER.user_id, {"k": "e1#00"})
    assert letters == [LETTER, OTHER_LETTER], "both addresses are told"


@pytest.mark.parametrize("write", [reset, change_password])
@pytest.mark.parametrize("at", [0, 1])
async def test_any_refused_condition_refuses_the_whole(write, at):
    codes = ["None", "None", "None"]
    codes[at] = "ConditionalCheckFailed"
    assert not await write(make(cancelled(*codes)))


@pytest.mark.parametrize("write", [reset, change_password, change_email])
async def test_what_was_cancelled_for_another_reason_is_not_taken_for_a_refusal(write):
    with pytest.raises(TransactionCancelled):
        await write(make(cancelled("None", "None", "ThrottlingError", "None")))


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        (("ConditionalCheckFailed", "None", "None", "None"), Refused.STALE),
        (("None", "ConditionalCheckFailed", "None", "None"), Refused.TAKEN),
        (("ConditionalCheckFailed", "ConditionalCheckFailed", "None", "None"), Refused.STALE),
    ],
)
async def test_a_change_of_address_that_is_refused_says_why(codes, why):
    assert await change_email(make(cancelled(*codes))) is why
