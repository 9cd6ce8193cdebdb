"""Recovery and change of credentials in DynamoDB. Each condition is the whole rule of its write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from service.accounts.pending import (
    MAX_CODE_TRIES,
    PendingChange,
    PendingReset,
    pending_change,
    pending_reset,
)
from service.passwords.repo import put_password, replace_password
from service.sessions.repo import move_to_epoch
from service.store.errors import ConditionFailed, TransactionCancelled
from service.store.operations import Get, Put, Update
from service.store.table import Table
from service.users import items
from service.users.actions import release_name, take_name
from service.users.model import User, UserState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.kernel.ids import SessionId, UserId
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.tokens.user_proof import Proof

_IS_ACTIVE = "st = :active"
_IS_AS_PROVEN = "st = :active AND ep = :ep"
_ASK_RESET = "SET rd = :td, rc = :cc, rx = :xp, rn = :zero"
_ASK_CHANGE = "SET cd = :td, cc = :cc, cx = :xp, cn = :zero, ce = :email, ck = :key"
_MAY_TRY_RESET = "st = :active AND rx > :now AND rn < :max"
_MAY_TRY_CHANGE = "st = :active AND ep <= :seen AND cx > :now AND cn < :max"
_RESET = f"{items.FORGET_PENDING} ADD ep :one"
_MAY_RESET = "st = :active AND ep = :ep AND rd = :td AND rx > :now"
_CHANGE_PASSWORD = f"SET ep = :next {items.FORGET_PENDING}"
_MAY_CHANGE_PASSWORD = "st = :active AND ep = :ep"  # noqa: S105 - a condition
_CHANGE_EMAIL = f"SET em = :email, ek = :key, vt = :now {items.FORGET_PENDING}"
_MAY_CHANGE_EMAIL = "st = :active AND cd = :td AND cx > :now AND ek = :old"


class Refused(Enum):
    """Why a transaction did not go through."""

    STALE = auto()
    """The proof was used, voided or has expired, or the account is not as it was read."""
    TAKEN = auto()
    """The new address is somebody else's."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A user with what is pending."""

    user: User
    reset: PendingReset | None
    change: PendingChange | None


@dataclass(frozen=True, kw_only=True)
class RecoveryRepo:
    """Profiles with their pending proofs."""

    dynamo: Dynamo

    async def load(self, user_id: UserId) -> Found | None:
        """The user, whatever its state."""
        item = await self.dynamo.get(Get(table=Table.USERS, key=items.key(user_id)))
        return None if item is None else _found(item)

    async def ask_reset(self, user_id: UserId, proof: Proof, *, expires_ms: int, letter: Put) -> bool:
        """Remember a reset and mail it, both or neither; the latest is the only one. False when the user is not active.

        Were the letter a write of its own, a fault between the two would void the link before this one and mail none,
        or mail one that leads nowhere.
        """
        values = {**_proof(proof), ":xp": expires_ms, ":zero": 0}
        return await self._all_or_nothing(_of_user(user_id, _ASK_RESET, _IS_ACTIVE, values), letter)

    async def ask_change(
        self, user: User, proof: Proof, *, expires_ms: int, email: str, email_key: str, letter: Put
    ) -> bool:
        """Remember a new address and mail to it, both or neither; the latest is the only one.

        False when ``user`` is not active any more, or has ended its sessions since it proved itself.
        """
        values = {**_proof(proof), ":xp": expires_ms, ":zero": 0, ":email": email, ":key": email_key, ":ep": user.epoch}
        return await self._all_or_nothing(_of_user(user.user_id, _ASK_CHANGE, _IS_AS_PROVEN, values), letter)

    async def try_reset_code(self, user_id: UserId, *, now_ms: int) -> Found | None:
        """Count a try before the code is compared, so that parallel guesses are counted too. None when none is left."""
        return await self._try(user_id, "ADD rn :one", _MAY_TRY_RESET, {":now": now_ms})

    async def try_change_code(self, user_id: UserId, *, session_epoch: int, now_ms: int) -> Found | None:
        """The same for the code of a new address, which is typed in a session of ``session_epoch``."""
        values = {":now": now_ms, ":seen": session_epoch}
        return await self._try(user_id, "ADD cn :one", _MAY_TRY_CHANGE, values)

    async def reset(
        self,
        user: User,
        *,
        token_digest: bytes,
        password_hash: str,
        now_ms: int,
        letter: Put,
        entries: Sequence[Put],
    ) -> bool:
        """Spend the reset, set the password, end every session, tell the owner and the revocation feed: all or nothing.

        False also when the user's epoch is not as it was read.
        """
        spend = Update(
            table=Table.USERS,
            key=items.key(user.user_id),
            update=_RESET,
            condition=_MAY_RESET,
            values={
                ":active": UserState.ACTIVE.value,
                ":ep": user.epoch,
                ":td": token_digest,
                ":now": now_ms,
                ":one": 1,
            },
        )
        password = put_password(user.user_id, password_hash, now_ms=now_ms)
        return await self._all_or_nothing(spend, password, letter, *entries)

    async def change_password(
        self,
        user: User,
        session_id: SessionId,
        *,
        old_hash: str,
        new_hash: str,
        now_ms: int,
        letter: Put,
        entries: Sequence[Put],
    ) -> bool:
        """Replace the password, end every session but this one, void what is pending, tell the owner and the feed."""
        bump = Update(
            table=Table.USERS,
            key=items.key(user.user_id),
            update=_CHANGE_PASSWORD,
            condition=_MAY_CHANGE_PASSWORD,
            values={":active": UserState.ACTIVE.value, ":ep": user.epoch, ":next": user.epoch + 1},
        )
        return await self._all_or_nothing(
            bump,
            replace_password(user.user_id, old_hash=old_hash, new_hash=new_hash, now_ms=now_ms),
            move_to_epoch(user.user_id, session_id, epoch=user.epoch + 1),
            letter,
            *entries,
        )

    async def change_email(
        self, user: User, change: PendingChange, *, now_ms: int, letters: Sequence[Put]
    ) -> Refused | None:
        """Take the new address, give the old one back, tell both: all or nothing."""
        update = Update(
            table=Table.USERS,
            key=items.key(user.user_id),
            update=_CHANGE_EMAIL,
            condition=_MAY_CHANGE_EMAIL,
            values={
                ":active": UserState.ACTIVE.value,
                ":td": change.token_digest,
                ":now": now_ms,
                ":old": user.email_key,
                ":email": change.email,
                ":key": change.email_key,
            },
        )
        take = take_name(change.email_key, user.user_id, now_ms=now_ms)
        release = [] if user.email_key is None else [release_name(user.email_key, user.user_id)]
        try:
            await self.dynamo.transact([update, take, *release, *letters])
        except TransactionCancelled as cancelled:
            if cancelled.refused(0):
                return Refused.STALE
            if cancelled.refused(1):
                return Refused.TAKEN
            raise
        return None

    async def _all_or_nothing(self, *actions: Update | Put) -> bool:
        try:
            await self.dynamo.transact(actions)
        except TransactionCancelled as cancelled:
            if any(reason.is_condition for reason in cancelled.reasons):
                return False
            raise
        return True

    async def _try(self, user_id: UserId, update: str, condition: str, values: dict[str, int]) -> Found | None:
        tried = _of_user(user_id, update, condition, {**values, ":max": MAX_CODE_TRIES, ":one": 1})
        try:
            item = await self.dynamo.write(tried)
        except ConditionFailed:
            return None
        return None if item is None else _found(item)


def _of_user(user_id: UserId, update: str, condition: str, values: Mapping[str, Value | None]) -> Update:
    return Update(
        table=Table.USERS,
        key=items.key(user_id),
        update=update,
        condition=condition,
        values={**values, ":active": UserState.ACTIVE.value},
    )


def _proof(proof: Proof) -> dict[str, Value | None]:
    return {":td": proof.token_digest, ":cc": proof.code_digest}


def _found(item: Item) -> Found:
    return Found(user=items.from_item(item), reset=pending_reset(item), change=pending_change(item))
