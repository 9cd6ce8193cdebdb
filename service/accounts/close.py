"""Close: the account becomes a tombstone, its names are free, and its sessions are dead before the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.sweep import sweep_sessions
from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.ids import SessionId, UserId
    from service.revocations.log import RevocationLog
    from service.sessions.repo import SessionRepo
    from service.users.repo import UserRepo

_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class CloseAccount:
    """Deletes a user at its own wish."""

    accounts: AccountRepo
    users: UserRepo
    sessions: SessionRepo
    revocations: RevocationLog
    audit: AuditKeeper
    clock: Clock

    async def __call__(self, user_id: UserId, session_id: SessionId) -> None:
        """Close the account of ``user_id``. Raises Unauthenticated when it is not active, or the session has ended.

        The access token of an ended session lives out its minutes elsewhere; what cannot be undone needs a session that
        is alive. The transaction decides; removing the session items, which hold names of devices, comes after it. It
        may be cut short without harm: they are dead by the epoch, and their TTL collects them.
        """
        for _ in range(_ATTEMPTS):
            user = await self.users.load(user_id)
            if user is None or not user.may_act:
                raise Unauthenticated("account is not active", presented=True)
            # The names may have changed between reading and writing; then the write is refused and both are repeated.
            session = await self.sessions.load(user_id, session_id)
            if session is None or not session.is_live(now_ms=self.clock.now_ms(), user_epoch=user.epoch):
                raise Unauthenticated("session has ended", presented=True)
            entries = self.revocations.user_ends(user_id, epoch=user.epoch + 1)
            if await self.accounts.close(user, session_id, entries=entries):
                await self.audit.keep(Event(kind=EventKind.ACCOUNT_CLOSE, outcome="ok", user_id=user_id))
                await sweep_sessions(self.sessions, user_id)
                return
        raise Unavailable("the account kept changing while it was closed")
