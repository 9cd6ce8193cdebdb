"""Sign in with a name and a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import InvalidCredentials, Unavailable
from service.kernel.identifier import parse_identifier
from service.kernel.ids import new_user_id, parse_session_id
from service.kernel.text import NameRefusal
from service.passwords.repo import PasswordRepo, stored_hash
from service.sessions.model import Device, SignInFacts

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.ids import UserId
    from service.kernel.secret import Secret
    from service.passwords.hasher import PasswordHasher
    from service.passwords.model import Verdict
    from service.sessions.flows import OpenSession
    from service.sessions.issue import IssuedTokens
    from service.users.identity import IdentityKeys
    from service.users.model import User
    from service.users.repo import UserRepo

FIRST_PARTY = "first-party"
PASSWORD_AMR = ("pwd",)
"""RFC 8176."""
SINGLE_FACTOR_ACR = "aal1"
"""NIST SP 800-63B-4 authenticator assurance level 1."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Two strongly consistent reads, one hash, one write."""

    users: UserRepo
    identities: IdentityKeys
    hasher: PasswordHasher
    passwords: PasswordRepo
    open_session: OpenSession
    audit: Audit
    clock: Clock
    entropy: Entropy

    async def __call__(self, *, identifier: str, password: Secret[str], device: Device) -> IssuedTokens:
        """Tokens of a new session.

        Raises InvalidCredentials for an unknown name, a wrong password and a user that may not act: the same calls are
        made and the same hash is computed for each. Raises Unavailable when the store is away or hashing is full.
        """
        claimed = await self._claimed_user(identifier)
        user, stored = claimed if claimed is not None else (None, None)
        verdict = await self.hasher.verify(password, stored)
        if user is None or not verdict.ok or not user.may_act:
            raise self._refusal(user, verdict)
        if verdict.needs_rehash and stored is not None:
            await self._upgrade(user.user_id, password, stored)
        facts = SignInFacts(
            client_id=FIRST_PARTY,
            scope=user.scope,
            amr=PASSWORD_AMR,
            acr=SINGLE_FACTOR_ACR,
            auth_time_seconds=self.clock.now_ms() // 1000,
        )
        tokens = await self.open_session(user, facts, device)
        session_id = parse_session_id(tokens.session_id)
        self.audit.record(Event(kind=EventKind.SIGN_IN, outcome="ok", user_id=user.user_id, session_id=session_id))
        return tokens

    async def _claimed_user(self, identifier: str) -> tuple[User, str | None] | None:
        """The user of that name with its stored hash. A name that is nobody's costs the same two reads."""
        name = parse_identifier(identifier)
        decoy = new_user_id(self.entropy)
        key = f"none#{decoy.hex()}" if isinstance(name, NameRefusal) else self.identities.of(name)
        owner = await self.users.owner_of(key)
        found = await self.users.load_with_credentials(decoy if owner is None else owner)
        return None if found is None else (found[0], stored_hash(found[1]))

    async def _upgrade(self, user_id: UserId, password: Secret[str], stored: str) -> None:
        """Only now is the password known; a change of it meanwhile wins over the upgrade.

        A full hashing queue or a store that is away must not fail a right password for this: it waits for next time.
        """
        try:
            new_hash = await self.hasher.hash(password)
            done = await self.passwords.upgrade(user_id, old_hash=stored, new_hash=new_hash, now_ms=self.clock.now_ms())
        except Unavailable:
            outcome = "put_off"
        else:
            outcome = "upgraded" if done else "changed_meanwhile"
        self.audit.record(Event(kind=EventKind.PASSWORD_REHASH, outcome=outcome, user_id=user_id))

    def _refusal(self, user: User | None, verdict: Verdict) -> InvalidCredentials:
        if user is None:
            outcome = "unknown"
        elif not verdict.ok:
            outcome = verdict.why.value
        else:
            outcome = f"user_{user.state.value}"
        user_id = None if user is None else user.user_id
        self.audit.record(Event(kind=EventKind.SIGN_IN, outcome=outcome, user_id=user_id))
        return InvalidCredentials(outcome)
