"""Close: the account becomes a tombstone, its names are free, and its sessions are dead before the answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.ids import SessionId, UserId
    from service.sessions.repo import SessionRepo
    from service.store.codec import Item
    from service.users.repo import UserRepo

_log = logging.getLogger(__name__)
_ATTEMPTS = 3
_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class CloseAccount:
    """Deletes a user at its own wish."""

    accounts: AccountRepo
    users: UserRepo
    sessions: SessionRepo
    audit: Audit
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
            if await self.accounts.close(user, session_id):
                self.audit.record(Event(kind=EventKind.ACCOUNT_CLOSE, outcome="ok", user_id=user_id))
                await self._sweep(user_id)
                return
        raise Unavailable("the account kept changing while it was closed")

    async def _sweep(self, user_id: UserId) -> None:
        try:
            await self._erase_all(user_id)
        except Unavailable as error:
            _log.warning("sessions not swept", extra={"problem": error.detail_for_log})

    async def _erase_all(self, user_id: UserId) -> None:
        start: Item | None = None
        while True:
            page = await self.sessions.page(user_id, limit=_PAGE, start=start)
            for session in page.sessions:
                await self.sessions.erase(session)
            start = page.next_start
            if start is None:
                return
