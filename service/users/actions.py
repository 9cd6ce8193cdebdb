"""The actions by which an account begins and ends, as values for one transaction of a journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.store.operations import Delete, Put, Update
from service.store.table import Table
from service.users import items
from service.users.model import User, UserState

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.store.codec import Value

# A name is free when nobody has it, when it was only held for a sign-up that ran out, or when it is held for this one.
_NAME_IS_FREE = "attribute_not_exists(k) OR (attribute_exists(hx) AND (hx <= :now OR uid = :uid))"
_IS_MINE = "uid = :uid"
_IS_NEW = "attribute_not_exists(uid)"
_IS_AS_READ = "st = :state AND ep = :ep AND ek = :ek"
_BECOME_TOMBSTONE = f"SET st = :deleted {items.FORGET_PENDING}, em, ek, un, uk, dn, lc, sc, vt, nw ADD ep :one"


def hold_name(identity_key: str, user_id: UserId, *, now_ms: int, until_ms: int) -> Put:
    """Reserve a name for a sign-up until it is confirmed or runs out."""
    item: dict[str, Value | None] = {
        "k": identity_key,
        "uid": bytes(user_id),
        "hx": until_ms,
        "ttl": until_ms // 1000,
    }
    return Put(
        table=Table.IDENTITIES, item=item, condition=_NAME_IS_FREE, values={":now": now_ms, ":uid": bytes(user_id)}
    )


def take_name(identity_key: str, user_id: UserId, *, now_ms: int) -> Put:
    """Make a name a user's own. Its refusal is the answer to "is it taken?"."""
    return Put(
        table=Table.IDENTITIES,
        item={"k": identity_key, "uid": bytes(user_id)},
        condition=_NAME_IS_FREE,
        values={":now": now_ms, ":uid": bytes(user_id)},
    )


def release_name(identity_key: str, user_id: UserId) -> Delete:
    """Give a name back."""
    return Delete(table=Table.IDENTITIES, key={"k": identity_key}, condition=_IS_MINE, values={":uid": bytes(user_id)})


def put_user(user: User) -> Put:
    """The profile of a new user."""
    return Put(table=Table.USERS, item=items.to_item(user), condition=_IS_NEW)


def bury(user: User) -> Update:
    """Turn a profile into a tombstone: personal data gone, every session dead, the id never used again."""
    return Update(
        table=Table.USERS,
        key=items.key(user.user_id),
        update=_BECOME_TOMBSTONE,
        condition=_IS_AS_READ,
        values={
            ":state": user.state.value,
            ":deleted": UserState.DELETED.value,
            ":ep": user.epoch,
            ":ek": user.email_key,
            ":one": 1,
        },
    )
