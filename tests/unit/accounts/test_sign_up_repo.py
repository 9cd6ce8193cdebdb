"""Sign-ups and their mails: written together, or not at all."""

from __future__ import annotations

import pytest

from service.accounts.model import SignUp
from service.accounts.repo import AccountRepo
from service.kernel.ids import UserId
from service.store.errors import CancelReason, TransactionCancelled
from service.store.operations import Delete, Put
from service.store.table import Table
from tests.support.store import ScriptedDynamo

LETTER = Put(table=Table.OUTBOX, item={"pk": "o#1", "sk": "x"})
SIGN_UP = SignUp(
    key="verify#new",
    token_digest=b"td",
    user_id=UserId(bytes(16)),
    email="ada@example.com",
    email_key="e1#00",
    username=None,
    username_key=None,
    password_hash="hash",
    locale="en",
    expires_ms=9_000,
)


def make(*answers):
    return AccountRepo(dynamo=ScriptedDynamo(*answers))


def cancelled(*codes):
    return TransactionCancelled(tuple(CancelReason(code=code, item=None) for code in codes))


def renew(repo):
    return repo.renew(SIGN_UP, old_key="verify#old", letter=LETTER)


async def test_a_sign_up_its_pointer_and_its_mail_are_one_transaction():
    repo = make(None)
    await repo.keep(SIGN_UP, letter=LETTER)
    ((pointer, kept, letter),) = repo.dynamo.operations
    assert (pointer.key, pointer.values[":key"]) == ({"k": "newest#e1#00"}, SIGN_UP.key)
    assert pointer.update.startswith("SET px = if_not_exists(xp, :zero), ")
    assert (kept.item["k"], kept.item["td"]) == (SIGN_UP.key, b"td")
    assert letter == LETTER


async def test_a_new_link_its_mail_and_the_end_of_the_old_one_are_one_transaction():
    repo = make(None)
    assert await renew(repo)
    ((pointer, old, kept, letter),) = repo.dynamo.operations
    assert (pointer.condition, pointer.values[":old"], pointer.values[":key"]) == (
        "tk = :old",
        "verify#old",
        SIGN_UP.key,
    )
    assert "px" not in pointer.update, "it is the same sign-up, and nobody else's"
    assert old == Delete(table=Table.ONETIME, key={"k": "verify#old"}, condition="attribute_exists(k)")
    assert kept.item == {**kept.item, "k": SIGN_UP.key, "xp": 9_000, "ttl": 9}
    assert letter == LETTER


@pytest.mark.parametrize("at", [0, 1])
async def test_a_sign_up_that_was_overtaken_or_confirmed_gets_no_new_link(at):
    codes = ["None"] * 4
    codes[at] = "ConditionalCheckFailed"
    assert not await renew(make(cancelled(*codes)))


async def test_what_was_cancelled_for_another_reason_is_not_taken_for_a_refusal():
    with pytest.raises(TransactionCancelled):
        await renew(make(cancelled("None", "None", "ThrottlingError", "None")))
