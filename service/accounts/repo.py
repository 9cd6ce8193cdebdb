"""Sign-ups in DynamoDB, and the transactions by which an account begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

from service.accounts.model import SignUp
from service.kernel.ids import UserId
from service.passwords.repo import delete_password, put_password
from service.sessions.repo import is_alive
from service.store.errors import TransactionCancelled
from service.store.operations import Check, Delete, Get, Put, TransactWrite, Update
from service.store.table import Table
from service.users.actions import bury, hold_name, put_user, release_name, take_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.kernel.ids import SessionId
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.users.model import User

_IS_THERE = "attribute_exists(k)"
_IS_NEWEST = "tk = :old"
_IS_LIVE = "attribute_exists(k) AND xp > :now"
# ``px`` is until when the sign-up before this one could be confirmed: while it could, two people may be at it.
_POINT = "SET px = if_not_exists(xp, :zero), tk = :key, xp = :xp, #ttl = :ttl"
_RENEW = "SET tk = :key, xp = :xp, #ttl = :ttl"
_TTL = {"#ttl": "ttl"}


class Taken(Enum):
    """Which name stood in the way."""

    EMAIL = auto()
    USERNAME = auto()


class Spent(Enum):
    """The one-time token was used, overtaken or has expired."""

    SPENT = auto()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The newest sign-up of an address; ``contested`` when another could be confirmed at the time it was made."""

    sign_up: SignUp | None
    contested: bool


@dataclass(frozen=True, kw_only=True)
class AccountRepo:
    """The onetime table's sign-ups, and accounts as a whole."""

    dynamo: Dynamo

    async def keep(self, sign_up: SignUp, *, letter: Put) -> None:
        """Store a sign-up, whose key is fresh, and its mail, and point to it, all or nothing."""
        await self.dynamo.transact([_point(sign_up, _POINT, {":zero": 0}), _kept(sign_up), letter])

    async def renew(self, sign_up: SignUp, *, old_key: str, letter: Put) -> bool:
        """Put a sign-up under a new link and code, void the old ones and mail the new, all or nothing.

        False when the sign-up under ``old_key`` was confirmed, renewed or overtaken by another since it was read.
        """
        void = Delete(table=Table.ONETIME, key={"k": old_key}, condition=_IS_THERE)
        try:
            await self.dynamo.transact(
                [_point(sign_up, _RENEW, {":old": old_key}, condition=_IS_NEWEST), void, _kept(sign_up), letter]
            )
        except TransactionCancelled as cancelled:
            if cancelled.refused(0) or cancelled.refused(1):
                return False
            raise
        return True

    async def newest(self, email_key: str, *, now_ms: int) -> Waiting:
        """What waits for an address to be confirmed. Two reads, whatever is found."""
        pointer = await self.dynamo.get(Get(table=Table.ONETIME, key={"k": pointer_key(email_key)}))
        raw = cast("dict[str, Any]", pointer or {})
        sign_up = await self.find(raw.get("tk", f"none#{email_key}"), now_ms=now_ms)
        return Waiting(sign_up=sign_up, contested=raw.get("px", 0) > now_ms)

    async def find(self, key: str, *, now_ms: int) -> SignUp | None:
        """The sign-up under ``key``, if it has not expired (whether or not DynamoDB has collected it)."""
        item = await self.dynamo.get(Get(table=Table.ONETIME, key={"k": key}))
        sign_up = None if item is None else _from_item(item)
        return sign_up if sign_up is not None and now_ms < sign_up.expires_ms else None

    async def hold(self, sign_up: SignUp, *, letter: Put, now_ms: int) -> Taken | None:
        """Store a sign-up and its mail, hold its names, point to it, all or nothing. Answers the name that is taken.

        Were the pointer a write of its own, a crash before it would leave an address that is held for a day and that
        nobody could have a mail sent to.
        """
        actions: list[TransactWrite] = [
            hold_name(key, sign_up.user_id, now_ms=now_ms, until_ms=sign_up.expires_ms)
            for key in _names(sign_up.email_key, sign_up.username_key)
        ]
        try:
            await self.dynamo.transact([*actions, _kept(sign_up), _point(sign_up, _POINT, {":zero": 0}), letter])
        except TransactionCancelled as cancelled:
            return _taken(cancelled, sign_up, first=0)
        return None

    async def confirm(self, sign_up: SignUp, user: User, *, now_ms: int) -> Taken | Spent | None:
        """Spend the sign-up and open its account, all or nothing; what was refused is the answer."""
        actions: list[TransactWrite] = [
            Delete(
                table=Table.ONETIME,
                key={"k": sign_up.key},
                condition=_IS_LIVE,
                values={":now": now_ms},
            ),
            *_opening(user, sign_up.password_hash, now_ms=now_ms),
        ]
        try:
            await self.dynamo.transact(actions)
        except TransactionCancelled as cancelled:
            names = len(_names(user.email_key, user.username_key))
            # The id of a user is never used again: one that is there was made, and perhaps closed, by this sign-up.
            if cancelled.refused(0) or cancelled.refused(1 + names):
                return Spent.SPENT
            return _taken(cancelled, user, first=1)
        return None

    async def open(self, user: User, password_hash: str, *, now_ms: int) -> Taken | None:
        """Open an account without a sign-up, for operators."""
        try:
            await self.dynamo.transact(_opening(user, password_hash, now_ms=now_ms))
        except TransactionCancelled as cancelled:
            return _taken(cancelled, user, first=0)
        return None

    async def close(self, user: User, session_id: SessionId, *, entries: Sequence[Put]) -> bool:
        """Bury the user, free its names and remove its password, all or nothing, on the word of a living session.

        ``entries`` tell the revocation feed. False when the user is not as it was read, or the session has ended.
        """
        return await self._bury(user, is_alive(user.user_id, session_id, epoch=user.epoch), *entries)

    async def delete(self, user: User, *, entries: Sequence[Put]) -> bool:
        """The same on an operator's word. False when the user is not as it was read."""
        return await self._bury(user, *entries)

    async def _bury(self, user: User, *others: Check | Put) -> bool:
        actions: list[TransactWrite] = [
            bury(user),
            *others,
            delete_password(user.user_id),
            *(release_name(key, user.user_id) for key in _names(user.email_key, user.username_key)),
        ]
        try:
            await self.dynamo.transact(actions)
        except TransactionCancelled as cancelled:
            if any(reason.is_condition for reason in cancelled.reasons):
                return False
            raise
        return True


def _names(*keys: str | None) -> list[str]:
    return [key for key in keys if key is not None]


def _opening(user: User, password_hash: str, *, now_ms: int) -> list[TransactWrite]:
    """Names first, so that their place among the reasons is known: e-mail, then username."""
    return [
        *(take_name(key, user.user_id, now_ms=now_ms) for key in _names(user.email_key, user.username_key)),
        put_user(user),
        put_password(user.user_id, password_hash, now_ms=now_ms),
    ]


def _taken(cancelled: TransactionCancelled, named: SignUp | User, *, first: int) -> Taken:
    """Which of the names, whose actions stand from ``first`` on, was refused. Raises when it was another action."""
    taken = [Taken.EMAIL] * (named.email_key is not None) + [Taken.USERNAME] * (named.username_key is not None)
    for index, name in enumerate(taken, start=first):
        if cancelled.refused(index):
            return name
    raise cancelled


def pointer_key(email_key: str) -> str:
    """Where the newest sign-up of an address is remembered."""
    return f"newest#{email_key}"


def _kept(sign_up: SignUp) -> Put:
    return Put(table=Table.ONETIME, item=_to_item(sign_up))


def _point(sign_up: SignUp, update: str, values: dict[str, Value], *, condition: str = "") -> Update:
    expires_ms = sign_up.expires_ms
    return Update(
        table=Table.ONETIME,
        key={"k": pointer_key(sign_up.email_key)},
        update=update,
        condition=condition,
        values={":key": sign_up.key, ":xp": expires_ms, ":ttl": expires_ms // 1000, **values},
        names=_TTL,
    )


def _to_item(sign_up: SignUp) -> dict[str, Value | None]:
    return {
        "k": sign_up.key,
        "td": sign_up.token_digest,
        "uid": bytes(sign_up.user_id),
        "em": sign_up.email,
        "ek": sign_up.email_key,
        "un": sign_up.username,
        "uk": sign_up.username_key,
        "ph": sign_up.password_hash,
        "lc": sign_up.locale,
        "xp": sign_up.expires_ms,
        "ttl": sign_up.expires_ms // 1000,
    }


def _from_item(item: Item) -> SignUp:
    raw = cast("dict[str, Any]", item)
    return SignUp(
        key=raw["k"],
        token_digest=raw["td"],
        user_id=UserId(raw["uid"]),
        email=raw["em"],
        email_key=raw["ek"],
        username=raw.get("un"),
        username_key=raw.get("uk"),
        password_hash=raw["ph"],
        locale=raw["lc"],
        expires_ms=raw["xp"],
    )
