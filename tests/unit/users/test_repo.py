from __future__ import annotations

import pytest

from service.store.codec import decode_item, encode_item
from service.store.errors import CancelReason, TransactionCancelled
from service.store.operations import Get, Put, Query, Update
from service.store.table import Table
from service.users import items
from service.users.model import StateChange
from service.users.repo import EndedAll, UserRepo
from tests.support.store import ScriptedDynamo, page, refused
from tests.unit.users.conftest import make_user

USER = make_user()
KEY = {"uid": USER.user_id, "sk": "U"}
ITEM = decode_item(encode_item(items.to_item(USER)))
PASSWORD = {"uid": USER.user_id, "sk": "C#pwd", "ph": "hash"}


def cancelled(*codes, item=None):
    return TransactionCancelled(tuple(CancelReason(code=code, item=item) for code in codes))


def make(*answers):
    return UserRepo(dynamo=ScriptedDynamo(*answers))


async def test_the_owner_of_a_name_is_found_by_its_key():
    repo = make(({"k": "e1#00", "uid": USER.user_id},))
    assert await repo.owner_of("e1#00") == USER.user_id
    assert repo.dynamo.operations == [[Get(table=Table.IDENTITIES, key={"k": "e1#00"})]]


async def test_a_name_that_is_nobodys_or_only_held_for_a_sign_up_has_no_owner():
    repo = make((None, {"k": "b", "uid": b"u", "hx": 5}, {"k": "c", "uid": b"v"}))
    assert await repo.owners_of(["a", "b", "c"]) == (None, None, b"v")


@pytest.mark.parametrize(("item", "user"), [(ITEM, USER), (None, None)])
async def test_a_user_is_loaded_whatever_its_state(item, user):
    repo = make(item)
    assert await repo.load(USER.user_id) == user
    assert repo.dynamo.operations == [Get(table=Table.USERS, key=KEY)]


async def test_a_user_and_its_credentials_are_one_request():
    repo = make(page(PASSWORD, ITEM))
    assert await repo.load_with_credentials(USER.user_id) == (USER, {"C#pwd": PASSWORD})
    assert repo.dynamo.operations == [
        Query(table=Table.USERS, condition="uid = :uid", values={":uid": USER.user_id}, limit=100)
    ]


async def test_a_user_whose_page_ends_early_is_read_to_its_end():
    repo = make(page(PASSWORD, next_start={**KEY, "sk": "C#pwd"}), page(ITEM))
    assert await repo.load_with_credentials(USER.user_id) == (USER, {"C#pwd": PASSWORD})
    assert [query.start for query in repo.dynamo.operations] == [None, {**KEY, "sk": "C#pwd"}]


@pytest.mark.parametrize("rows", [(), (PASSWORD,)])
async def test_credentials_without_a_profile_are_nobody(rows):
    assert await make(page(*rows)).load_with_credentials(USER.user_id) is None


async def test_ending_all_sessions_raises_the_epoch_of_an_active_account():
    repo = make({**ITEM, "ep": 1})
    assert await repo.end_all_sessions(USER.user_id, session_epoch=0, entries=[]) is EndedAll.ENDED
    assert repo.dynamo.operations == [
        Update(
            table=Table.USERS,
            key=KEY,
            update="ADD ep :one",
            condition="st = :active AND ep <= :seen",
            values={":active": "active", ":seen": 0, ":one": 1},
        )
    ]


@pytest.mark.parametrize("item", [None, {**ITEM, "st": "disabled"}, {**ITEM, "st": "locked", "ep": 9}])
async def test_ending_all_sessions_of_who_is_not_active_is_told(item):
    assert await make(refused(item)).end_all_sessions(USER.user_id, session_epoch=0, entries=[]) is EndedAll.NOT_ACTIVE


async def test_an_ended_session_ends_no_later_one_and_is_told_that_its_own_have_ended():
    repo = make(refused({**ITEM, "ep": 4}))
    assert await repo.end_all_sessions(USER.user_id, session_epoch=3, entries=[]) is EndedAll.HAD_ENDED


async def test_a_change_of_state_ends_all_sessions_and_voids_pending_proofs():
    repo = make({**ITEM, "st": "disabled", "ep": 1})
    assert await repo.change_state(make_user(epoch=7), StateChange.DISABLE, entries=[])
    (operation,) = repo.dynamo.operations
    assert operation.update.startswith("SET st = :state ")
    assert operation.update.endswith(" ADD ep :one")
    assert items.FORGET_PENDING in operation.update
    assert operation.condition == "(st = :one_state OR st = :other_state) AND ep = :ep"
    leaves = {":one_state": "active", ":other_state": "locked"}
    assert operation.values == {":state": "disabled", **leaves, ":ep": 7, ":one": 1}


async def test_who_is_deleted_or_not_as_it_was_read_has_no_state_to_change():
    assert not await make(refused()).change_state(USER, StateChange.ENABLE, entries=[])


async def test_what_the_revocation_feed_is_told_is_written_with_the_end_or_not_at_all():
    entry = Put(table=Table.REVOCATIONS, item={"pk": "1#1", "sk": "x"})
    repo = make(None, cancelled("ConditionalCheckFailed", "None", item={**ITEM, "ep": 4}), None)
    assert await repo.end_all_sessions(USER.user_id, session_epoch=3, entries=[entry]) is EndedAll.ENDED
    assert await repo.end_all_sessions(USER.user_id, session_epoch=3, entries=[entry]) is EndedAll.HAD_ENDED
    assert await repo.change_state(USER, StateChange.LOCK, entries=[entry])
    for operations in repo.dynamo.operations:
        assert len(operations) == 2
        assert operations[1] == entry


async def test_a_transaction_that_was_cancelled_for_another_reason_is_no_refusal():
    entry = Put(table=Table.REVOCATIONS, item={"pk": "1#1", "sk": "x"})
    with pytest.raises(TransactionCancelled):
        await make(cancelled("None", "ThrottlingError")).change_state(USER, StateChange.LOCK, entries=[entry])


@pytest.mark.parametrize(
    ("changes", "update"),
    [
        ({"display_name": "Ada"}, "SET dn = :display_name"),
        ({"locale": "de"}, "SET lc = :locale"),
        ({"display_name": "", "locale": "de"}, "SET dn = :display_name, lc = :locale"),
    ],
)
async def test_a_profile_is_changed_by_constant_expressions(changes, update):
    repo = make(ITEM)
    assert await repo.set_profile(USER.user_id, changes, session_epoch=3) == USER
    (operation,) = repo.dynamo.operations
    assert (operation.update, operation.condition) == (update, "st = :active AND ep <= :seen")
    assert operation.values == {f":{name}": value for name, value in changes.items()} | {
        ":active": "active",
        ":seen": 3,
    }


@pytest.mark.parametrize("name", ["scope", "st", "ep", "email", "dn = :x, sc"])
async def test_mass_assignment_no_other_field_can_be_set(name):
    repo = make()
    with pytest.raises(KeyError):
        await repo.set_profile(USER.user_id, {name: "x"}, session_epoch=0)
    assert repo.dynamo.operations == []


async def test_a_profile_of_who_is_not_active_or_has_ended_the_session_is_not_changed():
    assert await make(refused(ITEM)).set_profile(USER.user_id, {"locale": "de"}, session_epoch=0) is None
