"""Close: the account becomes a tombstone, its names are free, and its sessions are dead before the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from service.accounts.repo import AccountRepo
    from service.kernel.ids import UserId
    from service.sessions.repo import SessionRepo
    from service.store.codec import Item
    from service.users.repo import UserRepo

_ATTEMPTS = 3
_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class CloseAccount:
    """Deletes a user at its own wish."""

    accounts: AccountRepo
    users: UserRepo
    sessions: SessionRepo
    audit: Audit

    async def __call__(self, user_id: UserId) -> None:
        """Close the account of ``user_id``. Raises Unauthenticated when it is not active any more.

        The transaction decides; removing the session items, which hold names of devices, comes after it. It may be
        cut short without harm: they are dead by the epoch, and their TTL collects them.
        """
        for _ in range(_ATTEMPTS):
            user = await self.users.load(user_id)
            if user is None or not user.may_act:
                raise Unauthenticated("account is not active", presented=True)
            # The names may have changed between reading and writing; then the write is refused and both are repeated.
            if await self.accounts.close(user):
                self.audit.record(Event(kind=EventKind.ACCOUNT_CLOSE, outcome="ok", user_id=user_id))
                await self._sweep(user_id)
                return
        raise Unavailable("the account kept changing while it was closed")

    async def _sweep(self, user_id: UserId) -> None:
        start: Item | None = None
        while True:
            page = await self.sessions.page(user_id, limit=_PAGE, start=start)
            for session in page.sessions:
                await self.sessions.erase(session)
            start = page.next_start
            if start is None:
                return
