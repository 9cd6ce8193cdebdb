from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.ids import UserId
from service.store.codec import decode_item, encode_item
from service.users import items
from service.users.model import User, UserState
from tests.unit.users.conftest import make_user

TEXTS = st.none() | st.text(max_size=40)
TIMES = st.integers(0, 2**45)
USERS = st.builds(
    User,
    user_id=st.binary(min_size=16, max_size=16).map(UserId),
    state=st.sampled_from(UserState),
    epoch=st.integers(0, 2**40),
    email=TEXTS,
    email_key=TEXTS,
    username=TEXTS,
    username_key=TEXTS,
    scope=st.text(max_size=40),
    display_name=TEXTS,
    locale=TEXTS,
    created_ms=TIMES,
    verified_ms=st.none() | TIMES,
)


@given(USERS)
def test_a_user_is_read_back_from_its_item_as_it_was(user):
    assert items.from_item(decode_item(encode_item(items.to_item(user)))) == user


def test_a_tombstone_is_still_a_user():
    tombstone = {"uid": b"u" * 16, "sk": "U", "st": "deleted", "ep": 4, "ct": 1, "sv": 1}
    user = items.from_item(tombstone)
    assert (user.state, user.scope, user.email, user.may_act) == (UserState.DELETED, "", None, False)


@pytest.mark.parametrize("state", list(UserState))
def test_only_an_active_account_opens_a_door(state):
    assert make_user(state=state).may_act is (state is UserState.ACTIVE)


def test_the_profile_stands_under_its_own_sort_key():
    assert items.key(UserId(b"u")) == {"uid": b"u", "sk": "U"}
    assert items.key(UserId(b"u"), "C#pwd") == {"uid": b"u", "sk": "C#pwd"}
