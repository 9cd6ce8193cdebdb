"""Sessions in DynamoDB: one method, one call. Every condition is the whole rule of its write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.sessions import items
from service.sessions.model import RevokeReason, Session, SessionState
from service.store.errors import ConditionFailed, TransactionCancelled
from service.store.operations import Check, Delete, Get, Put, Query, Update
from service.store.table import Table

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId
    from service.sessions.refresh_token import RefreshToken
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo

_IS_FREE = "attribute_not_exists(uid)"
_MAY_ROTATE = "h = :h AND st = :active AND rt < :last AND ix > :now AND ax > :now"
_ROTATE = "SET ph = h, h = :next, g = g + :one, n = :nonce, k = :kid, rt = :now, ix = :idle, #ttl = :ttl"
_IS_ACTIVE = "st = :active"
_REVOKE = "SET st = :revoked, rr = :reason, rx = :now"
_IS_OF_EPOCH = "st = :active AND ep >= :ep"
_MOVE = "SET ep = :ep"
_LIVED_UNTIL_NOW = "st = :active AND ep >= :before"
_OF_USER = "uid = :uid"
_TTL = {"#ttl": "ttl"}


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """The write went through; the session as it is now."""

    session: Session


@dataclass(frozen=True, kw_only=True)
class NotRotated:
    """The write was refused; the session as it was, None when there is none."""

    stored: Session | None


def move_to_epoch(user_id: UserId, session_id: SessionId, *, epoch: int) -> Update:
    """Let one session live on when its user's epoch is raised to ``epoch``; for the transaction that raises it.

    One that an earlier raise has ended is not revived, though an access token of it may still live.
    """
    return Update(
        table=Table.SESSIONS,
        key=items.key(user_id, session_id),
        update=_MOVE,
        condition=_LIVED_UNTIL_NOW,
        values={":active": SessionState.ACTIVE.value, ":before": epoch - 1, ":ep": epoch},
    )


def is_alive(user_id: UserId, session_id: SessionId, *, epoch: int) -> Check:
    """Refuses a transaction unless the session in whose name it is made has not ended."""
    return Check(
        table=Table.SESSIONS,
        key=items.key(user_id, session_id),
        condition=_IS_OF_EPOCH,
        values={":active": SessionState.ACTIVE.value, ":ep": epoch},
    )


@dataclass(frozen=True, kw_only=True)
class SessionPage:
    """Some sessions of a user, and where the next page starts."""

    sessions: tuple[Session, ...]
    next_start: Item | None


@dataclass(frozen=True, kw_only=True)
class SessionRepo:
    """The sessions table."""

    dynamo: Dynamo

    async def create(self, session: Session) -> None:
        """Put a new session where there is none. Raises ConditionFailed when the id is taken by another."""
        try:
            await self.dynamo.write(_create(session))
        except ConditionFailed as refusal:
            # The SDK retries a write whose answer was lost; then what stands there is what we wrote.
            if refusal.item is None or items.from_item(refusal.item) != session:
                raise

    async def create_and_tell(self, session: Session, letter: Put) -> None:
        """The same with the letter that announces it, both or neither."""
        try:
            await self.dynamo.transact([_create(session), letter])
        except TransactionCancelled as cancelled:
            if cancelled.refused(0):
                raise ConditionFailed(cancelled.reasons[0].item) from cancelled
            raise

    async def rotate(
        self,
        presented: RefreshToken,
        successor: RefreshToken,
        *,
        nonce: bytes,
        now_ms: int,
        coalesce_ms: int,
        idle_ms: int,
    ) -> Rotated | NotRotated:
        """Advance one generation if ``presented`` is current, active, unexpired and the last advance is past C."""
        values: dict[str, Value | None] = {
            ":h": presented.digest,
            ":active": SessionState.ACTIVE.value,
            ":last": now_ms - coalesce_ms,
            ":now": now_ms,
            ":next": successor.digest,
            ":one": 1,
            ":nonce": nonce,
            ":kid": successor.kid,
            ":idle": now_ms + idle_ms,
            ":ttl": items.ttl_seconds(now_ms + idle_ms),
        }
        try:
            item = await self.dynamo.write(
                Update(
                    table=Table.SESSIONS,
                    key=items.key(presented.user_id, presented.session_id),
                    update=_ROTATE,
                    condition=_MAY_ROTATE,
                    values=values,
                    names=_TTL,
                )
            )
        except ConditionFailed as refusal:
            return NotRotated(stored=None if refusal.item is None else items.from_item(refusal.item))
        return Rotated(session=items.from_item(item or {}))

    async def revoke(self, user_id: UserId, session_id: SessionId, *, reason: RevokeReason, now_ms: int) -> bool:
        """End a session. False when there was none, or it had ended before: either way it is dead now."""
        try:
            await self.dynamo.write(_revoke(user_id, session_id, reason=reason, now_ms=now_ms))
        except ConditionFailed as refusal:
            # The SDK retries a write whose answer was lost; then the end that stands there is ours.
            stored = None if refusal.item is None else items.from_item(refusal.item)
            return stored is not None and (stored.revoke_reason, stored.revoked_ms) == (reason.value, now_ms)
        return True

    async def revoke_and_tell(
        self, user_id: UserId, session_id: SessionId, *, reason: RevokeReason, now_ms: int, letter: Put
    ) -> bool:
        """The same with the letter that announces it, both or neither. False when it had ended: none is sent."""
        try:
            await self.dynamo.transact([_revoke(user_id, session_id, reason=reason, now_ms=now_ms), letter])
        except TransactionCancelled as cancelled:
            if cancelled.refused(0):
                return False
            raise
        return True

    async def load(self, user_id: UserId, session_id: SessionId) -> Session | None:
        """One session, ended or not."""
        item = await self.dynamo.get(Get(table=Table.SESSIONS, key=items.key(user_id, session_id)))
        return None if item is None else items.from_item(item)

    async def live_epoch(self, user_id: UserId, session_id: SessionId, *, now_ms: int) -> int | None:
        """The epoch of a session that is active and has not expired, else None; the user's may be past it."""
        session = await self.load(user_id, session_id)
        return None if session is None or not session.is_live(now_ms=now_ms, user_epoch=0) else session.epoch

    async def page(self, user_id: UserId, *, limit: int, start: Item | None) -> SessionPage:
        """A user's sessions, ended ones among them, in key order."""
        page = await self.dynamo.query(
            Query(
                table=Table.SESSIONS,
                condition=_OF_USER,
                values={":uid": bytes(user_id)},
                limit=limit,
                start=start,
            )
        )
        return SessionPage(sessions=tuple(items.from_item(item) for item in page.items), next_start=page.next_start)

    async def erase(self, session: Session) -> None:
        """Remove a session's item, with what it says of a device; only for accounts that are deleted."""
        await self.dynamo.write(Delete(table=Table.SESSIONS, key=items.key(session.user_id, session.session_id)))


def _create(session: Session) -> Put:
    return Put(table=Table.SESSIONS, item=items.to_item(session), condition=_IS_FREE)


def _revoke(user_id: UserId, session_id: SessionId, *, reason: RevokeReason, now_ms: int) -> Update:
    return Update(
        table=Table.SESSIONS,
        key=items.key(user_id, session_id),
        update=_REVOKE,
        condition=_IS_ACTIVE,
        values={
            ":active": SessionState.ACTIVE.value,
            ":revoked": SessionState.REVOKED.value,
            ":reason": reason.value,
            ":now": now_ms,
        },
    )
