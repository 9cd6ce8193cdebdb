"""A user as it is stored, and the rule of who may sign in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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
