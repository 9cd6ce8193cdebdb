"""Look at a user, and change what a user may change of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import FieldError, Invalid, NotFound, Unauthenticated
from service.kernel.text import has_invisible_character
from service.users.model import UserState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.kernel.ids import UserId
    from service.users.model import User
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Users as they are shown."""

    users: UserRepo
    audit: Audit

    async def of_caller(self, user_id: UserId) -> User:
        """The caller's own. Raises Unauthenticated when the account has stopped being active since the token."""
        user = await self.users.load(user_id)
        if user is None or not user.may_act:
            raise Unauthenticated("account is not active", presented=True)
        return user

    async def of(self, user_id: UserId, *, seen_by: UserId) -> User:
        """Anybody's, for who may see it. Raises NotFound; a deleted user is not there.

        Raises Unauthenticated when ``seen_by`` has stopped being active since its token, as at every other door.
        """
        caller = await self.of_caller(seen_by)
        user = caller if user_id == seen_by else await self.users.load(user_id)
        if user is None or user.state is UserState.DELETED:
            raise NotFound
        return user

    async def change(self, user_id: UserId, changes: Mapping[str, str], *, session_epoch: int) -> User:
        """Set ``display_name`` or ``locale`` in a session of that epoch. Raises Invalid, Unauthenticated."""
        if not changes:
            unchanged = await self.of_caller(user_id)
            if session_epoch < unchanged.epoch:
                raise _ended()
            return unchanged
        if has_invisible_character(changes.get("display_name", "")):
            message = "Remove the invisible characters."
            raise Invalid(FieldError(field="display_name", code="control_character", message=message))
        user = await self.users.set_profile(user_id, changes, session_epoch=session_epoch)
        if user is None:
            raise _ended()
        self.audit.record(Event(kind=EventKind.PROFILE_CHANGE, outcome="ok", user_id=user_id))
        return user


def _ended() -> Unauthenticated:
    return Unauthenticated("account is not active, or sessions have ended", presented=True)
