from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from service.audit.event import EventKind
from service.errors import Invalid, NotFound, Unauthenticated
from service.kernel.ids import UserId
from service.users.flows import Profiles
from service.users.model import UserState
from tests.unit.users.conftest import make_user

ADA = make_user()
EVE = make_user(user_id=UserId(b"e" * 16))


@dataclass
class FakeUsers:
    stored: dict = field(default_factory=dict)
    changed: list = field(default_factory=list)
    loads: int = 0

    async def load(self, user_id):
        self.loads += 1
        return self.stored.get(user_id)

    async def set_profile(self, user_id, changes, *, session_epoch):
        self.changed.append((user_id, changes))
        user = self.stored.get(user_id)
        return user if user is not None and user.may_act and session_epoch >= user.epoch else None


@dataclass
class FakeAudit:
    events: list = field(default_factory=list)

    def record(self, event):
        self.events.append(event)


def make(*users):
    return Profiles(users=FakeUsers({user.user_id: user for user in users}), audit=FakeAudit())


INACTIVE = [(), (make_user(state=UserState.DISABLED),), (make_user(state=UserState.DELETED),)]


async def test_a_caller_sees_itself():
    assert await make(ADA).of_caller(ADA.user_id) == ADA


@pytest.mark.parametrize("users", INACTIVE)
async def test_a_caller_whose_account_has_ended_is_refused_although_its_token_has_not(users):
    with pytest.raises(Unauthenticated) as refusal:
        await make(*users).of_caller(ADA.user_id)
    assert refusal.value.presented


async def test_another_user_is_shown_to_who_may_see_it():
    assert await make(ADA, EVE).of(EVE.user_id, seen_by=ADA.user_id) == EVE


async def test_a_disabled_user_is_shown_to_operators_and_a_deleted_one_is_not_there():
    disabled = make_user(user_id=EVE.user_id, state=UserState.DISABLED)
    assert await make(ADA, disabled).of(EVE.user_id, seen_by=ADA.user_id) == disabled
    for profiles in (make(ADA), make(ADA, make_user(user_id=EVE.user_id, state=UserState.DELETED))):
        with pytest.raises(NotFound):
            await profiles.of(EVE.user_id, seen_by=ADA.user_id)


async def test_oneself_is_looked_up_once():
    profiles = make(ADA)
    assert await profiles.of(ADA.user_id, seen_by=ADA.user_id) == ADA
    assert profiles.users.loads == 1


@pytest.mark.parametrize("users", INACTIVE)
async def test_an_operator_whose_account_has_ended_sees_nobody(users):
    with pytest.raises(Unauthenticated):
        await make(*users, EVE).of(EVE.user_id, seen_by=ADA.user_id)


async def test_a_change_is_written_and_recorded():
    profiles = make(ADA)
    assert await profiles.change(ADA.user_id, {"display_name": "Ada", "locale": "de"}, session_epoch=0) == ADA
    assert profiles.users.changed == [(ADA.user_id, {"display_name": "Ada", "locale": "de"})]
    assert [(event.kind, event.outcome) for event in profiles.audit.events] == [(EventKind.PROFILE_CHANGE, "ok")]


async def test_no_change_writes_and_records_nothing():
    profiles = make(ADA)
    assert await profiles.change(ADA.user_id, {}, session_epoch=0) == ADA
    assert (profiles.users.changed, profiles.audit.events) == ([], [])


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "a\u200bb", "a\u202eb"])
async def test_spoofing_a_name_with_invisible_characters_is_refused(name):
    profiles = make(ADA)
    with pytest.raises(Invalid) as refusal:
        await profiles.change(ADA.user_id, {"display_name": name}, session_epoch=0)
    assert [(error.field, error.code) for error in refusal.value.errors] == [("display_name", "control_character")]
    assert profiles.users.changed == []


@pytest.mark.parametrize("users", INACTIVE)
@pytest.mark.parametrize("changes", [{}, {"locale": "de"}])
async def test_who_has_ended_changes_nothing(users, changes):
    profiles = make(*users)
    with pytest.raises(Unauthenticated):
        await profiles.change(ADA.user_id, changes, session_epoch=0)
    assert profiles.audit.events == []


@pytest.mark.parametrize("changes", [{}, {"locale": "de"}])
async def test_a_session_that_ended_with_all_others_changes_nothing(changes):
    profiles = make(make_user(epoch=2))
    with pytest.raises(Unauthenticated):
        await profiles.change(ADA.user_id, changes, session_epoch=1)
    assert profiles.audit.events == []
