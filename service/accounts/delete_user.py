"""Delete: an operator closes an account of whatever state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.sweep import sweep_sessions
from service.errors import Unavailable
from service.users.model import UserState

if TYPE_CHECKING:
    from service.accounts.repo import AccountRepo
    from service.kernel.ids import UserId
    from service.revocations.log import RevocationLog
    from service.sessions.repo import SessionRepo
    from service.users.repo import UserRepo

_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class DeleteUser:
    """Buries a user and frees its names."""

    accounts: AccountRepo
    users: UserRepo
    sessions: SessionRepo
    revocations: RevocationLog

    async def __call__(self, user_id: UserId) -> bool:
        """False when there is no such user, or it is deleted. Raises Unavailable when it kept changing."""
        for _ in range(_ATTEMPTS):
            user = await self.users.load(user_id)
            if user is None or user.state is UserState.DELETED:
                return False
            entries = self.revocations.user_ends(user_id, epoch=user.epoch + 1)
            if await self.accounts.delete(user, entries=entries):
                await sweep_sessions(self.sessions, user_id)
                return True
        raise Unavailable("the account kept changing while it was deleted")
