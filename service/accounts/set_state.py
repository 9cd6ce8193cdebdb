"""Set a user's state: an operator disables, enables, locks or unlocks an account; its sessions end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.users.model import UserState

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.revocations.log import RevocationLog
    from service.users.repo import UserRepo

_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class SetState:
    """Lets a user in, or keeps it out."""

    users: UserRepo
    revocations: RevocationLog

    async def __call__(self, user_id: UserId, state: UserState) -> bool:
        """False when there is no such user, or it is deleted. Raises Unavailable when it kept changing."""
        for _ in range(_ATTEMPTS):
            user = await self.users.load(user_id)
            if user is None or user.state is UserState.DELETED:
                return False
            entries = self.revocations.user_ends(user_id, epoch=user.epoch + 1)
            if await self.users.set_state(user, state, entries=entries):
                return True
        raise Unavailable("the account kept changing while its state was set")
