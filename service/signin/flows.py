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
from service.signin.model import Origin, SignedIn
from service.store.errors import StoreUnavailable
from service.throttle.gate import LaneLimited
from service.throttle.limits import ADDRESS

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.ids import UserId
    from service.kernel.secret import Secret
    from service.passwords.hasher import PasswordHasher
    from service.passwords.model import Verdict
    from service.sessions.flows import OpenSession
    from service.sessions.issue import IssuedTokens
    from service.signin.new_device import NewDeviceMails
    from service.throttle.device import DeviceKeys
    from service.throttle.lanes import LaneKeys
    from service.throttle.limiter import Throttle
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
    """Two strongly consistent reads, one hash, one write; more at the first sign-in and on a device not known."""

    users: UserRepo
    identities: IdentityKeys
    hasher: PasswordHasher
    passwords: PasswordRepo
    open_session: OpenSession
    throttle: Throttle
    lanes: LaneKeys
    devices: DeviceKeys
    new_devices: NewDeviceMails
    audit: Audit
    clock: Clock
    entropy: Entropy

    async def __call__(self, *, identifier: str, password: Secret[str], device: Device, origin: Origin) -> SignedIn:
        """Tokens of a new session.

        Raises InvalidCredentials for an unknown name, a wrong password and a user that may not act: the same calls are
        made and the same hash is computed for each. Raises Unavailable when the store is away or hashing is full.
        """
        now_ms = self.clock.now_ms()
        user, stored, verdict = await self._prove(identifier, password, origin)
        if user is None or not verdict.ok or not user.may_act:
            raise self._refusal(user, verdict)
        if verdict.needs_rehash and stored is not None:
            await self._upgrade(user.user_id, password, stored)
        facts = SignInFacts(
            client_id=FIRST_PARTY,
            scope=user.scope,
            amr=PASSWORD_AMR,
            acr=SINGLE_FACTOR_ACR,
            auth_time_seconds=now_ms // 1000,
        )
        tokens = await self._open(user, facts, device, origin, now_ms=now_ms)
        session_id = parse_session_id(tokens.session_id)
        self.audit.record(Event(kind=EventKind.SIGN_IN, outcome="ok", user_id=user.user_id, session_id=session_id))
        known = self.devices.issue(_keys_of(user), now_ms=self.clock.now_ms(), entropy=self.entropy)
        return SignedIn(tokens=tokens, device_token=known)

    async def _prove(
        self, identifier: str, password: Secret[str], origin: Origin
    ) -> tuple[User | None, str | None, Verdict]:
        """The user of that name and whether it is its password. A name that is nobody's costs the same two reads."""
        name, decoy = parse_identifier(identifier), new_user_id(self.entropy)
        key = f"none#{decoy.hex()}" if isinstance(name, NameRefusal) else self.identities.of(name)
        subject = f"none#{identifier}" if isinstance(name, NameRefusal) else key
        try:
            device = self.devices.read(origin.device_token, account_key=subject, now_ms=self.clock.now_ms())
            look = self.throttle.look(self.lanes.sign_in(identity_key=subject, prefix=origin.network, device=device))
            owner, tallies = await self.users.owner_and(key, look.reads)
            async with await self.throttle.admit(look, tallies) as attempt:
                found = await self.users.load_with_credentials(decoy if owner is None else owner)
                stored = None if found is None else stored_hash(found[1])
                verdict = await self.hasher.verify(password, stored, on_slot=attempt.at_slot)
                # Who may not act is counted like anybody: a lane that stays open would tell of a right password.
                is_right = found is not None and verdict.ok and found[0].may_act
                await (attempt.succeeded() if is_right else attempt.failed())
        except LaneLimited as refusal:
            if refusal.is_news:
                await self._tell_owner(key, refusal.lane)
            raise
        return (None if found is None else found[0]), stored, verdict

    async def _tell_owner(self, identity_key: str, lane: str) -> None:
        """Keep that a lane is limited, with whose account was tried: one more read, for a name that is nobody's too.

        Not for the lane of an address, which counts tries of many accounts.
        """
        owner = None
        if lane != ADDRESS.name:
            try:
                owner = await self.users.owner_of(identity_key)
            except StoreUnavailable:
                # The refusal stands whether or not its event finds the owner.
                owner = None
        self.audit.record(Event(kind=EventKind.THROTTLE, outcome=lane, user_id=owner))

    async def _open(
        self, user: User, facts: SignInFacts, device: Device, origin: Origin, *, now_ms: int
    ) -> IssuedTokens:
        """The session, in one transaction with the mail that tells its owner of a device that is not known."""
        if any(self.devices.read(origin.device_token, account_key=key, now_ms=now_ms) for key in _keys_of(user)):
            return await self.open_session(user, facts, device, now_ms=now_ms)
        letter = await self.new_devices.letter(user, device)
        if letter is None:
            return await self.open_session(user, facts, device, now_ms=now_ms)
        tokens = await self.open_session(user, facts, device, now_ms=now_ms, letter=letter.action)
        self.new_devices.outbox.dispatch(letter)
        return tokens

    async def _upgrade(self, user_id: UserId, password: Secret[str], stored: str) -> None:
        """Only now is the password known; a change of it meanwhile wins over the upgrade.

        A full hashing queue or a store that is away must not fail a right password for this: it waits for next time.
        """
        try:
            new_hash = await self.hasher.hash(password)
            done = await self.passwords.upgrade(user_id, old_hash=stored, new_hash=new_hash)
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


def _keys_of(user: User) -> list[str]:
    """What its devices are known by: the names, and the id, so that they still are when a name has changed."""
    names = (user.email_key, user.username_key)
    return [*(key for key in names if key is not None), f"id#{user.user_id.hex()}"]
