"""The password credential in a user's partition: its item as a value for transactions, and its upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.store.errors import ConditionFailed
from service.store.operations import Delete, Put, Update
from service.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.kernel.ids import UserId
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo

SORT = "C#pwd"
_IS_UNCHANGED = "ph = :old"
_REPLACE = "SET ph = :new, ct = :now"
_STRENGTHEN = "SET ph = :new"


def _key(user_id: UserId) -> dict[str, Value]:
    return {"uid": bytes(user_id), "sk": SORT}


def stored_hash(credentials: Mapping[str, Item]) -> str | None:
    """The hash among a user's credentials, or None when it has no password."""
    item = credentials.get(SORT)
    return None if item is None else cast("dict[str, Any]", item)["ph"]


def put_password(user_id: UserId, password_hash: str, *, now_ms: int) -> Put:
    """The password of a new user, for the transaction that makes it."""
    return Put(table=Table.USERS, item={**_key(user_id), "ph": password_hash, "ct": now_ms})


def delete_password(user_id: UserId) -> Delete:
    """No password any more, for the transaction that closes an account."""
    return Delete(table=Table.USERS, key=_key(user_id))


def replace_password(user_id: UserId, *, old_hash: str, new_hash: str, now_ms: int) -> Update:
    """A new password in the place of the one that was checked; refused when it has changed meanwhile."""
    return Update(
        table=Table.USERS,
        key=_key(user_id),
        update=_REPLACE,
        condition=_IS_UNCHANGED,
        values={":old": old_hash, ":new": new_hash, ":now": now_ms},
    )


@dataclass(frozen=True, kw_only=True)
class PasswordRepo:
    """Password items in the users table."""

    dynamo: Dynamo

    async def upgrade(self, user_id: UserId, *, old_hash: str, new_hash: str) -> bool:
        """Replace a hash by a stronger one of the same password. False when it has changed meanwhile."""
        strengthen = Update(
            table=Table.USERS,
            key=_key(user_id),
            update=_STRENGTHEN,
            condition=_IS_UNCHANGED,
            values={":old": old_hash, ":new": new_hash},
        )
        try:
            await self.dynamo.write(strengthen)
        except ConditionFailed:
            return False
        return True
