"""Create: an operator opens an account whose address needs no confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.repo import Taken
from service.errors import Conflict
from service.kernel.ids import UserId, new_user_id
from service.users.model import User, UserState

if TYPE_CHECKING:
    from service.accounts.names import NewNames
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.passwords.hasher import PasswordHasher
    from service.users.identity import IdentityKeys


@dataclass(frozen=True, kw_only=True)
class CreateUser:
    """Opens an account at once."""

    accounts: AccountRepo
    identities: IdentityKeys
    hasher: PasswordHasher
    clock: Clock
    entropy: Entropy

    async def __call__(self, names: NewNames, password: Secret[str], *, scope: str) -> UserId:
        """The new user's id. ``password`` has passed the policy. Raises Conflict for a taken name."""
        password_hash = await self.hasher.hash(password)
        now_ms = self.clock.now_ms()
        user = User(
            user_id=new_user_id(self.entropy),
            state=UserState.ACTIVE,
            epoch=0,
            email=names.email.address,
            email_key=self.identities.of(names.email),
            username=names.username.display if names.username else None,
            username_key=self.identities.of(names.username) if names.username else None,
            scope=scope,
            display_name=None,
            locale=None,
            created_ms=now_ms,
            verified_ms=now_ms,
            is_fresh=True,
        )
        match await self.accounts.open(user, password_hash, now_ms=now_ms):
            case Taken.EMAIL:
                raise Conflict(code="email_taken", title="This address has an account.")
            case Taken.USERNAME:
                raise Conflict(code="username_taken", title="This username is taken.")
            case None:
                return user.user_id
