"""A user as it is stored, and the rule of who may sign in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.kernel.ids import UserId


class UserState(StrEnum):
    """What an account may do: only an active one signs in, refreshes or is looked at.

    There is no state for an address that is not confirmed: until then there is no account (docs/adr/0002).
    """

    ACTIVE = "active"
    DISABLED = "disabled"
    LOCKED = "locked"
    DELETED = "deleted"


class StateChange(Enum):
    """What an operator does to an account's state: the states that it leaves, and where to.

    An account has one state, and disabled is the stronger: a locked account can be disabled, a disabled one cannot be
    locked, and neither of the two words that let somebody in undoes what the other word did.
    """

    DISABLE = (frozenset({UserState.ACTIVE, UserState.LOCKED}), UserState.DISABLED)
    LOCK = (frozenset({UserState.ACTIVE}), UserState.LOCKED)
    ENABLE = (frozenset({UserState.DISABLED}), UserState.ACTIVE)
    UNLOCK = (frozenset({UserState.LOCKED}), UserState.ACTIVE)

    def __init__(self, leaves: frozenset[UserState], to: UserState) -> None:
        self.leaves, self.to = leaves, to


@dataclass(frozen=True, kw_only=True)
class User:
    """An account. ``epoch`` grows whenever every session of it must end. Times are milliseconds since the epoch.

    ``is_fresh`` until it is signed in to for the first time.
    """

    user_id: UserId
    state: UserState
    epoch: int
    email: str | None
    email_key: str | None
    username: str | None
    username_key: str | None
    scope: str
    display_name: str | None
    locale: str | None
    created_ms: int
    verified_ms: int | None
    is_fresh: bool = False

    @property
    def may_act(self) -> bool:
        """Whether any door opens for this account."""
        return self.state is UserState.ACTIVE
