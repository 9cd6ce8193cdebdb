"""Asking again for the password of somebody who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import InvalidCredentials, Unauthenticated
from service.passwords.repo import stored_hash

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.kernel.secret import Secret
    from service.passwords.hasher import PasswordHasher
    from service.users.model import User
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class Proven:
    """A user that has just given its password, with the hash that was checked."""

    user: User
    password_hash: str


@dataclass(frozen=True, kw_only=True)
class ProofOfPassword:
    """Checks the password of a user by its id."""

    users: UserRepo
    hasher: PasswordHasher
    audit: Audit

    async def require(self, user_id: UserId, password: Secret[str]) -> Proven:
        """Raises InvalidCredentials for a wrong password, Unauthenticated when the account is not active any more."""
        found = await self.users.load_with_credentials(user_id)
        if found is None or not found[0].may_act:
            raise Unauthenticated("account is not active", presented=True)
        user, stored = found[0], stored_hash(found[1])
        verdict = await self.hasher.verify(password, stored)
        if stored is None or not verdict.ok:
            self.audit.record(Event(kind=EventKind.PASSWORD_CHANGE, outcome=verdict.why.value, user_id=user_id))
            raise InvalidCredentials(verdict.why.value)
        return Proven(user=user, password_hash=stored)
