from __future__ import annotations

from service.kernel.ids import UserId
from service.store.operations import Delete, Put
from service.store.table import Table
from service.users import items
from service.users.actions import bury, hold_name, put_user, release_name, take_name
from tests.unit.users.conftest import NOW_MS, make_user

ADA = UserId(b"a" * 16)
IS_FREE = "attribute_not_exists(k) OR (attribute_exists(hx) AND (hx <= :now OR uid = :uid))"


def test_a_name_is_taken_for_good_and_held_for_a_while_under_the_same_condition():
    taken = take_name("e1#", ADA, now_ms=NOW_MS)
    held = hold_name("e1#", ADA, now_ms=NOW_MS, until_ms=NOW_MS + 5999)
    assert taken == Put(
        table=Table.IDENTITIES,
        item={"k": "e1#", "uid": ADA},
        condition=IS_FREE,
        values={":now": NOW_MS, ":uid": ADA},
    )
    assert (held.condition, held.values) == (taken.condition, taken.values)
    assert held.item == {"k": "e1#", "uid": ADA, "hx": NOW_MS + 5999, "ttl": NOW_MS // 1000 + 5}


def test_a_name_is_given_back_by_its_owner():
    assert release_name("e1#", ADA) == Delete(
        table=Table.IDENTITIES, key={"k": "e1#"}, condition="uid = :uid", values={":uid": ADA}
    )


def test_a_new_user_is_put_where_there_is_none():
    user = make_user()
    assert put_user(user) == Put(table=Table.USERS, item=items.to_item(user), condition="attribute_not_exists(uid)")


def test_a_burial_removes_everything_that_says_who_it_was_and_ends_every_session():
    action = bury(make_user())
    removed = action.update.split("REMOVE ")[1].split(" ADD ")[0].split(", ")
    assert set(removed) >= {"em", "ek", "un", "uk", "dn", "lc", "sc", "vt"}
    assert action.update.endswith("ADD ep :one")
    assert action.values[":ek"] == "e1#00"
