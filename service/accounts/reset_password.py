"""Reset: the link or the code of the mail sets a new password and ends every session; it never signs in (CWE-640)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.mails import notice
from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import BadRequest
from service.kernel.email import parse_email
from service.kernel.ids import new_user_id
from service.kernel.text import NameRefusal
from service.mail.message import MailKind

if TYPE_CHECKING:
    from service.accounts.new_password import NewPasswords
    from service.accounts.recovery_repo import Found, RecoveryRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.mail.outbox import Outbox
    from service.passwords.hasher import PasswordHasher
    from service.revocations.log import RevocationLog
    from service.store.operations import Put
    from service.tokens.user_proof import UserProofs
    from service.users.identity import IdentityKeys
    from service.users.repo import UserRepo

_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class ResetPassword:
    """Spends a reset in the transaction that sets the password."""

    recovery: RecoveryRepo
    users: UserRepo
    identities: IdentityKeys
    proofs: UserProofs
    new_passwords: NewPasswords
    hasher: PasswordHasher
    outbox: Outbox
    revocations: RevocationLog
    audit: AuditKeeper
    clock: Clock
    entropy: Entropy
    locale: str

    async def by_token(self, presented_token: Secret[str], new_password: Secret[str]) -> None:
        """With the token of the link. Raises BadRequest when it does not work, Invalid for the new password."""
        read = self.proofs.read_token(presented_token.reveal())
        found = None if read is None else await self.recovery.load(read[0])
        if read is None or found is None or not self._is_pending(found):
            raise self._refusal("unknown")
        if found.reset is None or not hmac.compare_digest(found.reset.token_digest, read[1]):
            raise self._refusal("wrong_token")
        await self._set(found, new_password)

    async def by_code(self, claimed_email: str, presented_code: Secret[str], new_password: Secret[str]) -> None:
        """With the address and the code. Raises as ``by_token`` does; every try is counted before it is compared."""
        email = parse_email(claimed_email)
        if isinstance(email, NameRefusal):
            raise self._refusal("no_address")
        owner = await self.users.owner_of(self.identities.of(email))
        # An address that is nobody's costs the same calls, so that the time tells nothing.
        user_id = owner or new_user_id(self.entropy)
        found = await self.recovery.try_reset_code(user_id, now_ms=self.clock.now_ms())
        if found is None or found.reset is None:
            raise self._refusal("unknown")
        digest = self.proofs.read_code(found.user.user_id, presented_code.reveal())
        if digest is None or not hmac.compare_digest(found.reset.code_digest, digest):
            raise self._refusal("wrong_code")
        await self._set(found, new_password)

    def _is_pending(self, found: Found) -> bool:
        return found.user.may_act and found.reset is not None and self.clock.now_ms() < found.reset.expires_ms

    async def _set(self, found: Found, new_password: Secret[str]) -> None:
        user = found.user
        await self.new_passwords.require(new_password, user)
        password_hash = await self.hasher.hash(new_password)
        announced = self.outbox.prepare(notice(MailKind.PASSWORD_CHANGED, user, default_locale=self.locale))
        if not await self._write(found, password_hash, letter=announced.action):
            raise self._refusal("spent")
        self.outbox.dispatch(announced)
        await self.audit.keep(Event(kind=EventKind.PASSWORD_RESET, outcome="ok", user_id=user.user_id))

    async def _write(self, found: Found, password_hash: str, *, letter: Put) -> bool:
        """Again where only the epoch was raised meanwhile: to log out everywhere voids no mail."""
        user, reset = found.user, found.reset
        if reset is None:
            return False
        for _ in range(_ATTEMPTS):
            done = await self.recovery.reset(
                user,
                token_digest=reset.token_digest,
                password_hash=password_hash,
                now_ms=self.clock.now_ms(),
                letter=letter,
                entries=self.revocations.user_ends(user.user_id, epoch=user.epoch + 1),
            )
            again = None if done else await self.recovery.load(user.user_id)
            if again is None or again.user.epoch == user.epoch:
                return done
            user = again.user
        return False

    def _refusal(self, outcome: str) -> BadRequest:
        self.audit.record(Event(kind=EventKind.PASSWORD_RESET, outcome=outcome))
        return BadRequest(outcome, code="invalid_token", title="This link or code does not work, or not any more.")
