"""Sign-ups in DynamoDB, and the transactions by which an account begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, cast

from service.accounts.model import SignUp
from service.kernel.ids import UserId
from service.passwords.repo import delete_password, put_password
from service.store.errors import TransactionCancelled
from service.store.operations import Delete, Get, Put, TransactWrite
from service.store.table import Table
from service.users.actions import bury, hold_name, put_user, release_name, take_name

if TYPE_CHECKING:
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.users.model import User

_IS_LIVE = "attribute_exists(k) AND xp > :now"


class Taken(Enum):
    """Which name stood in the way."""

    EMAIL = auto()
    USERNAME = auto()


class Spent(Enum):
    """The one-time token was used, overtaken or has expired."""

    SPENT = auto()


@dataclass(frozen=True, kw_only=True)
class AccountRepo:
    """The onetime table's sign-ups, and accounts as a whole."""

    dynamo: Dynamo

    async def keep(self, sign_up: SignUp) -> None:
        """Store a sign-up; its key is fresh."""
        await self.dynamo.write(Put(table=Table.ONETIME, item=_to_item(sign_up)))

    async def point_to(self, email_key: str, target: str | None, *, expires_ms: int) -> None:
        """Remember the newest sign-up of an address, None for an address that has an account."""
        await self.dynamo.write(_pointer_to(email_key, target, expires_ms=expires_ms))

    async def newest(self, email_key: str, *, now_ms: int) -> SignUp | None:
        """The newest sign-up of an address that can still be confirmed."""
        pointer = await self.dynamo.get(Get(table=Table.ONETIME, key={"k": _pointer(email_key)}))
        target = None if pointer is None else pointer.get("to")
        return None if target is None else await self.find(cast("str", target), now_ms=now_ms)

    async def find(self, key: str, *, now_ms: int) -> SignUp | None:
        """The sign-up under ``key``, if it has not expired (whether or not DynamoDB has collected it)."""
        item = await self.dynamo.get(Get(table=Table.ONETIME, key={"k": key}))
        sign_up = None if item is None else _from_item(item)
        return sign_up if sign_up is not None and now_ms < sign_up.expires_ms else None

    async def hold(self, sign_up: SignUp, *, now_ms: int) -> Taken | None:
        """Store a sign-up, hold its names and point to it, all or nothing. Answers the name that is taken.

        Were the pointer a write of its own, a crash before it would leave an address that is held for a day and that
        nobody could have a mail sent to.
        """
        actions: list[TransactWrite] = [
            hold_name(key, sign_up.user_id, now_ms=now_ms, until_ms=sign_up.expires_ms)
            for key in _names(sign_up.email_key, sign_up.username_key)
        ]
        pointer = _pointer_to(sign_up.email_key, sign_up.key, expires_ms=sign_up.expires_ms)
        try:
            await self.dynamo.transact([*actions, Put(table=Table.ONETIME, item=_to_item(sign_up)), pointer])
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
            return Spent.SPENT if cancelled.refused(0) else _taken(cancelled, user, first=1)
        return None

    async def open(self, user: User, password_hash: str, *, now_ms: int) -> Taken | None:
        """Open an account without a sign-up, for operators."""
        try:
            await self.dynamo.transact(_opening(user, password_hash, now_ms=now_ms))
        except TransactionCancelled as cancelled:
            return _taken(cancelled, user, first=0)
        return None

    async def close(self, user: User) -> bool:
        """Bury the user, free its names and remove its password, all or nothing. False when it changed meanwhile."""
        releases = [release_name(key, user.user_id) for key in _names(user.email_key, user.username_key)]
        try:
            await self.dynamo.transact([bury(user), delete_password(user.user_id), *releases])
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


def _pointer(email_key: str) -> str:
    return f"newest#{email_key}"


def _pointer_to(email_key: str, target: str | None, *, expires_ms: int) -> Put:
    item: dict[str, Value | None] = {
        "k": _pointer(email_key),
        "to": target,
        "xp": expires_ms,
        "ttl": expires_ms // 1000,
    }
    return Put(table=Table.ONETIME, item=item)


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
