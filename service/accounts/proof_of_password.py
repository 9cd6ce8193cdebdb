"""Asking again for the password of somebody who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import InvalidCredentials, Unauthenticated
from service.passwords.repo import stored_hash
from service.throttle.gate import LaneLimited

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.kernel.secret import Secret
    from service.passwords.hasher import PasswordHasher
    from service.throttle.lanes import LaneKeys
    from service.throttle.limiter import Throttle
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
    throttle: Throttle
    lanes: LaneKeys
    audit: Audit

    async def require(self, user_id: UserId, password: Secret[str], *, session_epoch: int, network: str) -> Proven:
        """On the word of a session of ``session_epoch``.

        Raises InvalidCredentials for a wrong password, Unauthenticated when the account is not active any more, or has
        ended sessions of that epoch.

        Wrong ones are counted: an access token that was stolen must not become a way to guess the password. Raises
        TooManyRequests when they are too many.
        """
        found = await self.users.load_with_credentials(user_id)
        if found is None or not found[0].may_act or session_epoch < found[0].epoch:
            raise Unauthenticated("account is not active, or sessions have ended", presented=True)
        user, stored = found[0], stored_hash(found[1])
        lanes = self.lanes.code(door="password", subject=user_id.hex(), prefix=network)
        try:
            async with await self.throttle.before(lanes) as attempt:
                verdict = await self.hasher.verify(password, stored, on_slot=attempt.at_slot)
                await (attempt.succeeded() if verdict.ok else attempt.failed())
        except LaneLimited as refusal:
            if refusal.is_news:
                self.audit.record(Event(kind=EventKind.THROTTLE, outcome=refusal.lane, user_id=user_id))
            raise
        if stored is None or not verdict.ok:
            self.audit.record(Event(kind=EventKind.PASSWORD_CHANGE, outcome=verdict.why.value, user_id=user_id))
            raise InvalidCredentials(verdict.why.value)
        return Proven(user=user, password_hash=stored)
