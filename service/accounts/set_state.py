"""Set a user's state: an operator disables, enables, locks or unlocks an account; its sessions end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from service.errors import Conflict, Unavailable
from service.users.model import UserState

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.revocations.log import RevocationLog
    from service.users.model import StateChange
    from service.users.repo import UserRepo

_ATTEMPTS = 3


class StateSet(Enum):
    """What became of a change of state."""

    CHANGED = auto()
    WAS_SO = auto()
    """The account was in that state already; its sessions ended when it came to be."""
    NOBODY = auto()
    """There is no such user, or it is deleted."""


@dataclass(frozen=True, kw_only=True)
class SetState:
    """Lets a user in, or keeps it out."""

    users: UserRepo
    revocations: RevocationLog

    async def __call__(self, user_id: UserId, change: StateChange) -> StateSet:
        """Bring an account to the state that ``change`` leads to, from one that it leaves.

        Raises Conflict when it is in another, and Unavailable when it kept changing.
        """
        for _ in range(_ATTEMPTS):
            user = await self.users.load(user_id)
            if user is None or user.state is UserState.DELETED:
                return StateSet.NOBODY
            if user.state is change.to:
                return StateSet.WAS_SO
            entries = self.revocations.user_ends(user_id, epoch=user.epoch + 1)
            if await self.users.change_state(user, change, entries=entries):
                return StateSet.CHANGED
            if user.state not in change.leaves:
                raise _refusal(user.state, change)
        raise Unavailable("the account kept changing while its state was set")


def _refusal(state: UserState, change: StateChange) -> Conflict:
    return Conflict(f"it is {state.value}", code="wrong_state", title=f"Cannot {change.name.lower()} this account")
