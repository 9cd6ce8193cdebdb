"""Forgot: a link and a code to choose a new password, and the same answer whoever the address belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.mails import reset_mail
from service.accounts.pending import PROOF_SECONDS
from service.audit.event import Audit, Event, EventKind
from service.errors import FieldError, Invalid
from service.kernel.email import parse_email
from service.kernel.ids import new_user_id
from service.kernel.text import NameRefusal

if TYPE_CHECKING:
    from service.accounts.decoys import Decoys
    from service.accounts.recovery_repo import RecoveryRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.ids import UserId
    from service.mail.links import Links
    from service.mail.outbox import Announced, Outbox
    from service.throttle.mail_quotas import MailQuotas
    from service.tokens.user_proof import Proof, UserProofs
    from service.users.identity import IdentityKeys
    from service.users.model import User
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class ForgotPassword:
    """Mails a reset to the stored address of an active user."""

    recovery: RecoveryRepo
    users: UserRepo
    identities: IdentityKeys
    proofs: UserProofs
    decoys: Decoys
    links: Links
    outbox: Outbox
    quotas: MailQuotas
    audit: Audit
    clock: Clock
    entropy: Entropy
    locale: str

    async def __call__(self, claimed_email: str, *, network: str) -> None:
        """Raises Invalid for what is no address; otherwise says nothing. Two reads and one transaction for anybody.

        Nothing is done, and nothing said of it, once ``network`` or the address has had its share of mails.
        """
        email = parse_email(claimed_email)
        if isinstance(email, NameRefusal):
            raise Invalid(FieldError(field="email", code=email.code, message=email.sentence))
        email_key = self.identities.of(email)
        if not await self.quotas.allow(email_key=email_key, network=network):
            self._record("limited", None)
            return
        asked = await self.users.owner_of(email_key) or new_user_id(self.entropy)
        user = await self.users.load(asked)
        if user is None or not user.may_act or user.email is None:
            # Sealed for nobody and thrown away: it takes as long as one for somebody.
            self._letter(asked, email.address, self.locale)
            await self.decoys.write(email_key, 2)
            self._record("no_account", user)
        else:
            await self._mail_to(user, user.email)

    async def _mail_to(self, user: User, address: str) -> None:
        proof, letter = self._letter(user.user_id, address, user.locale or self.locale)
        expires_ms = self.clock.now_ms() + PROOF_SECONDS * 1000
        asked = await self.recovery.ask_reset(user.user_id, proof, expires_ms=expires_ms, letter=letter.action)
        if asked:
            self.outbox.dispatch(letter)
        self._record("mailed" if asked else "not_active", user)

    def _letter(self, user_id: UserId, address: str, locale: str) -> tuple[Proof, Announced]:
        proof = self.proofs.new(user_id, self.entropy)
        return proof, self.outbox.prepare(reset_mail(proof, self.links, address=address, locale=locale))

    def _record(self, outcome: str, user: User | None) -> None:
        user_id = None if user is None else user.user_id
        self.audit.record(Event(kind=EventKind.PASSWORD_FORGOT, outcome=outcome, user_id=user_id))
