"""Names and accounts on each engine: what may be taken, held, given back and buried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.kernel.ids import UserId
from service.store.errors import ConditionFailed
from service.store.operations import Get
from service.store.table import Table
from service.users.actions import bury, hold_name, put_user, release_name, take_name
from service.users.model import StateChange, UserState
from service.users.repo import EndedAll, UserRepo
from tests.unit.users.conftest import NOW_MS, make_user

ADA, EVE = UserId(b"a" * 16), UserId(b"e" * 16)
NAME = "e1#name"
USER = make_user(user_id=ADA, display_name="Ada", scope="users:read")


@pytest.fixture
def repo(dynamo):
    return UserRepo(dynamo=dynamo)


async def owner(dynamo):
    return (await dynamo.get(Get(table=Table.IDENTITIES, key={"k": NAME})) or {}).get("uid")


def hold(user_id, *, until_ms=NOW_MS + 1000):
    return hold_name(NAME, user_id, now_ms=NOW_MS, until_ms=until_ms)


async def refused(dynamo, action):
    with pytest.raises(ConditionFailed):
        await dynamo.write(action)


async def test_a_free_name_is_taken_once(dynamo):
    await dynamo.write(take_name(NAME, ADA, now_ms=NOW_MS))
    await refused(dynamo, take_name(NAME, EVE, now_ms=NOW_MS))
    await refused(dynamo, hold(EVE))
    assert await owner(dynamo) == ADA


async def test_a_taken_name_is_not_lost_to_its_own_owners_sign_up(dynamo):
    await dynamo.write(take_name(NAME, ADA, now_ms=NOW_MS))
    await refused(dynamo, hold(ADA))


async def test_a_held_name_is_taken_by_the_sign_up_that_holds_it_and_by_no_other(dynamo, repo):
    await dynamo.write(hold(ADA))
    assert await repo.owner_of(NAME) is None
    await refused(dynamo, take_name(NAME, EVE, now_ms=NOW_MS))
    await dynamo.write(hold(ADA))
    await dynamo.write(take_name(NAME, ADA, now_ms=NOW_MS))
    assert await repo.owner_of(NAME) == ADA


async def test_a_hold_that_ran_out_is_nobodys_though_it_was_not_collected(dynamo):
    await dynamo.write(hold(ADA, until_ms=NOW_MS))
    await dynamo.write(take_name(NAME, EVE, now_ms=NOW_MS))
    assert await owner(dynamo) == EVE


async def test_a_name_is_given_back_by_its_owner_only(dynamo):
    await dynamo.write(take_name(NAME, ADA, now_ms=NOW_MS))
    await refused(dynamo, release_name(NAME, EVE))
    await dynamo.write(release_name(NAME, ADA))
    assert await owner(dynamo) is None


async def test_an_id_is_never_used_twice(dynamo):
    await dynamo.write(put_user(USER))
    await refused(dynamo, put_user(replace(USER, email="other@example.com")))


async def test_a_buried_account_holds_no_personal_data_and_its_id_is_not_used_again(dynamo, repo):
    await dynamo.write(put_user(USER))
    await dynamo.write(bury(USER))
    tombstone = await dynamo.get(Get(table=Table.USERS, key={"uid": ADA, "sk": "U"}))
    assert tombstone == {"uid": ADA, "sk": "U", "st": "deleted", "ep": 1, "ct": USER.created_ms, "sv": 1}
    await refused(dynamo, put_user(USER))
    await refused(dynamo, bury(USER))
    assert (await repo.load(ADA)).state is UserState.DELETED


async def test_an_account_whose_address_changed_meanwhile_is_not_buried(dynamo):
    await dynamo.write(put_user(replace(USER, email_key="e1#new")))
    await refused(dynamo, bury(USER))


async def test_the_epoch_is_raised_for_an_active_account_only(dynamo, repo):
    assert await repo.end_all_sessions(ADA, session_epoch=0, entries=[]) is EndedAll.NOT_ACTIVE
    await dynamo.write(put_user(USER))
    assert await repo.end_all_sessions(ADA, session_epoch=0, entries=[]) is EndedAll.ENDED
    assert await repo.end_all_sessions(ADA, session_epoch=0, entries=[]) is EndedAll.HAD_ENDED
    assert (await repo.load(ADA)).epoch == 1
    assert await repo.change_state(await repo.load(ADA), StateChange.DISABLE, entries=[])
    assert (await repo.load(ADA)).epoch == 2
    assert await repo.end_all_sessions(ADA, session_epoch=2, entries=[]) is EndedAll.NOT_ACTIVE
    assert await repo.set_profile(ADA, {"locale": "de"}, session_epoch=2) is None
    assert not await repo.change_state(USER, StateChange.ENABLE, entries=[])
    assert await repo.change_state(await repo.load(ADA), StateChange.ENABLE, entries=[])
    assert (await repo.load(ADA)).epoch == 3


async def test_a_deleted_account_is_not_revived(dynamo, repo):
    await dynamo.write(put_user(USER))
    await dynamo.write(bury(USER))
    assert not await repo.change_state(await repo.load(ADA), StateChange.ENABLE, entries=[])


async def test_a_profile_changes_and_nothing_else_does(dynamo, repo):
    await dynamo.write(put_user(USER))
    changed = await repo.set_profile(ADA, {"display_name": "", "locale": "de"}, session_epoch=0)
    assert changed == replace(USER, display_name="", locale="de")


async def test_a_user_comes_with_its_credentials_in_one_read(dynamo, repo):
    assert await repo.load_with_credentials(ADA) is None
    await dynamo.write(put_user(USER))
    assert await repo.load_with_credentials(ADA) == (USER, {})
