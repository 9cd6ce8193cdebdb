"""Users and their names in DynamoDB: strongly consistent, by key, one method one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, cast

from service.kernel.ids import UserId
from service.store.errors import ConditionFailed, StoreUnavailable, TransactionCancelled
from service.store.operations import Get, Query, Update
from service.store.table import Table
from service.users import items
from service.users.model import StateChange, User, UserState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.store.operations import Put

Credentials = Mapping[str, "Item"]
"""What stands beside the profile in a user's partition, by sort key."""

_PARTITION_LIMIT = 100
_OF_USER = "uid = :uid"
_IS_ALIVE = "st = :active AND ep <= :seen"
_IS_IN_STATE = "(st = :one_state OR st = :other_state) AND ep = :ep"
_BUMP_EPOCH = "ADD ep :one"
_IS_FRESH = "attribute_exists(nw)"
_NO_LONGER_FRESH = "REMOVE nw"
_SET_STATE = f"SET st = :state {items.FORGET_PENDING} ADD ep :one"
_PROFILE_SETS = {"display_name": "dn = :display_name", "locale": "lc = :locale"}


class EndedAll(Enum):
    """What became of ending every session."""

    ENDED = auto()
    HAD_ENDED = auto()
    """Sessions of that epoch were ended before: all that could be meant are dead."""
    NOT_ACTIVE = auto()


@dataclass(frozen=True, kw_only=True)
class UserRepo:
    """The users and identities tables."""

    dynamo: Dynamo

    async def owner_of(self, identity_key: str) -> UserId | None:
        """Whose name it is; None when it is nobody's, or only reserved for a sign-up that is not confirmed."""
        (owner,) = await self.owners_of([identity_key])
        return owner

    async def owner_and(
        self, identity_key: str, reads: Sequence[Get]
    ) -> tuple[UserId | None, tuple[Item | None, ...] | None]:
        """Whose name it is, with what ``reads`` ask for in the same request.

        The items are None where only the name could be read: the owner of another table must not close this door.
        """
        try:
            name, *others = await self.dynamo.batch_get([Get(table=Table.IDENTITIES, key={"k": identity_key}), *reads])
        except StoreUnavailable:
            return await self.owner_of(identity_key), None
        return _owner(name), tuple(others)

    async def owners_of(self, identity_keys: Sequence[str]) -> tuple[UserId | None, ...]:
        """Whose names they are, in order, in one request."""
        found = await self.dynamo.batch_get([Get(table=Table.IDENTITIES, key={"k": key}) for key in identity_keys])
        return tuple(_owner(item) for item in found)

    async def load(self, user_id: UserId) -> User | None:
        """The user, whatever its state."""
        item = await self.dynamo.get(Get(table=Table.USERS, key=items.key(user_id)))
        return None if item is None else items.from_item(item)

    async def load_with_credentials(self, user_id: UserId) -> tuple[User, Credentials] | None:
        """The user and what it proves itself with; one request unless DynamoDB ends the page early, as it may."""
        by_sort: dict[str, Item] = {}
        start: Item | None = None
        while True:
            page = await self.dynamo.query(_partition_of(user_id, start))
            by_sort |= {cast("str", item["sk"]): item for item in page.items}
            start = page.next_start
            if start is None:
                break
        profile = by_sort.pop(items.PROFILE, None)
        return None if profile is None else (items.from_item(profile), by_sort)

    async def end_all_sessions(self, user_id: UserId, *, session_epoch: int, entries: Sequence[Put]) -> EndedAll:
        """Raise the epoch on the word of a session of ``session_epoch``: all begun before die at their next refresh.

        ``entries`` of the revocation feed are written with it, all or nothing.
        """
        values: dict[str, Value | None] = {
            ":active": UserState.ACTIVE.value,
            ":seen": session_epoch,
            ":one": 1,
        }
        operation = Update(
            table=Table.USERS, key=items.key(user_id), update=_BUMP_EPOCH, condition=_IS_ALIVE, values=values
        )
        refusal = await self._write_with(operation, entries)
        if refusal is None:
            return EndedAll.ENDED
        user = None if refusal.item is None else items.from_item(refusal.item)
        return EndedAll.HAD_ENDED if user is not None and user.may_act else EndedAll.NOT_ACTIVE

    async def change_state(self, user: User, change: StateChange, *, entries: Sequence[Put]) -> bool:
        """Change the state and end all sessions, with ``entries`` of the revocation feed.

        False when the account is in no state that ``change`` leaves, or ``user`` is not as it was read.
        """
        one_state, *others = sorted(state.value for state in change.leaves)
        values: dict[str, Value | None] = {
            ":state": change.to.value,
            ":one_state": one_state,
            ":other_state": others[0] if others else one_state,
            ":ep": user.epoch,
            ":one": 1,
        }
        operation = Update(
            table=Table.USERS, key=items.key(user.user_id), update=_SET_STATE, condition=_IS_IN_STATE, values=values
        )
        return await self._write_with(operation, entries) is None

    async def first_sign_in(self, user_id: UserId) -> bool:
        """Note that an account was signed in to. False when it had been before, by whoever was faster."""
        return await self._update_to(user_id, _NO_LONGER_FRESH, _IS_FRESH, {}) is not None

    async def set_profile(self, user_id: UserId, changes: Mapping[str, str], *, session_epoch: int) -> User | None:
        """Change what a user may change of itself: ``display_name``, ``locale``.

        None when it is not active, or has ended sessions of ``session_epoch``. Raises KeyError for any other name.
        """
        update = "SET " + ", ".join(_PROFILE_SETS[name] for name in changes)
        values: dict[str, Value | None] = {f":{name}": value for name, value in changes.items()}
        values |= {":active": UserState.ACTIVE.value, ":seen": session_epoch}
        return await self._update_to(user_id, update, _IS_ALIVE, values)

    async def _write_with(self, operation: Update, entries: Sequence[Put]) -> ConditionFailed | None:
        """Write alone, or with others in one transaction; the refusal of ``operation``'s condition is the answer."""
        try:
            if entries:
                await self.dynamo.transact([operation, *entries])
            else:
                await self.dynamo.write(operation)
        except ConditionFailed as refusal:
            return refusal
        except TransactionCancelled as cancelled:
            if not cancelled.refused(0):
                raise
            return ConditionFailed(cancelled.reasons[0].item)
        return None

    async def _update_to(
        self, user_id: UserId, update: str, condition: str, values: Mapping[str, Value | None]
    ) -> User | None:
        operation = Update(table=Table.USERS, key=items.key(user_id), update=update, condition=condition, values=values)
        try:
            item = await self.dynamo.write(operation)
        except ConditionFailed:
            return None
        return items.from_item(item or {})


def _partition_of(user_id: UserId, start: Item | None) -> Query:
    values: dict[str, Value] = {":uid": bytes(user_id)}
    return Query(table=Table.USERS, condition=_OF_USER, values=values, limit=_PARTITION_LIMIT, start=start)


def _owner(item: Item | None) -> UserId | None:
    return None if item is None or "hx" in item else UserId(cast("bytes", item["uid"]))
