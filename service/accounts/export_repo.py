"""What stands in a user's own partition: the profile, what is pending in it, and which credentials there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.accounts.pending import PendingChange, PendingReset, pending_change, pending_reset
from service.passwords.repo import SORT as PASSWORD_SORT
from service.store.operations import Query
from service.store.table import Table
from service.users import items

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.store.codec import Item
    from service.store.dynamo import Dynamo
    from service.users.model import User

_PAGE = 100
_OF_USER = "uid = :uid"
_KINDS = {PASSWORD_SORT: "password"}
OTHER = "other"
"""A credential that a later release has written: said to be there, though not what it is."""


@dataclass(frozen=True, kw_only=True)
class CredentialFact:
    """That there is a credential, and when it was set (ms); nothing of what it is checked by."""

    kind: str
    set_ms: int | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """A user with all that its partition holds."""

    user: User
    reset: PendingReset | None
    change: PendingChange | None
    credentials: tuple[CredentialFact, ...]


@dataclass(frozen=True, kw_only=True)
class HeldRepo:
    """The users table, read whole for one user."""

    dynamo: Dynamo

    async def load(self, user_id: UserId) -> Held | None:
        """All of it; one request for as long as it is below 1 MB and 100 items. None when there is no profile."""
        found: list[Item] = []
        start: Item | None = None
        while True:
            page = await self.dynamo.query(
                Query(table=Table.USERS, condition=_OF_USER, values={":uid": bytes(user_id)}, limit=_PAGE, start=start)
            )
            found += page.items
            start = page.next_start
            if start is None:
                return _held(found)


def _held(found: list[Item]) -> Held | None:
    profile = next((item for item in found if item["sk"] == items.PROFILE), None)
    if profile is None:
        return None
    return Held(
        user=items.from_item(profile),
        reset=pending_reset(profile),
        change=pending_change(profile),
        credentials=tuple(_fact(item) for item in found if item is not profile),
    )


def _fact(item: Item) -> CredentialFact:
    raw = cast("dict[str, Any]", item)
    return CredentialFact(kind=_KINDS.get(raw["sk"], OTHER), set_ms=raw.get("ct"))
