"""Change of address: asked for with the password, in effect when the new address confirms; both are told."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.accounts.mails import change_mail, notice
from service.accounts.pending import PROOF_SECONDS
from service.accounts.recovery_repo import Refused
from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import BadRequest, FieldError, Invalid, Unauthenticated
from service.kernel.email import Email, parse_email
from service.kernel.text import NameRefusal
from service.mail.message import MailKind, MailMessage

if TYPE_CHECKING:
    from service.accounts.proof_of_password import ProofOfPassword
    from service.accounts.recovery_repo import Found, RecoveryRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.mail.links import Links
    from service.mail.outbox import Outbox
    from service.throttle.mail_quotas import MailQuotas
    from service.tokens.session_gate import LiveCaller
    from service.tokens.user_proof import Proof, UserProofs
    from service.users.identity import IdentityKeys
    from service.users.model import User
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class ChangeEmail:
    """Asks, and confirms."""

    recovery: RecoveryRepo
    users: UserRepo
    identities: IdentityKeys
    proof: ProofOfPassword
    proofs: UserProofs
    links: Links
    outbox: Outbox
    quotas: MailQuotas
    audit: AuditKeeper
    clock: Clock
    entropy: Entropy
    locale: str

    async def ask(self, caller: LiveCaller, *, new_email: str, password: Secret[str], network: str) -> None:
        """The same answer for a free and a taken address. Raises Invalid, InvalidCredentials, Unauthenticated.

        Nothing is pending, and nothing is said of it, once ``network`` or the address has had its share of mails.
        """
        email = parse_email(new_email)
        if isinstance(email, NameRefusal):
            raise Invalid(FieldError(field="new_email", code=email.code, message=email.sentence))
        user_id = caller.user_id
        user = (await self.proof.require(user_id, password, session_epoch=caller.epoch, network=network)).user
        email_key = self.identities.of(email)
        if email_key == user.email_key:
            raise Invalid(FieldError(field="new_email", code="same_address", message="This is the address already."))
        if not await self.quotas.allow(email_key=email_key, network=network):
            self.audit.record(Event(kind=EventKind.EMAIL_CHANGE_ASK, outcome="limited", user_id=user_id))
            return
        owner = await self.users.owner_of(email_key)
        made = self.proofs.new(user_id, self.entropy)
        locale = user.locale or self.locale
        message = (
            change_mail(made, self.links, address=email.address, locale=locale)
            if owner is None
            else MailMessage(to=email.address, template=MailKind.ALREADY_REGISTERED, locale=locale)
        )
        await self._store(user, email, email_key, made, message)
        self.audit.record(Event(kind=EventKind.EMAIL_CHANGE_ASK, outcome="mailed", user_id=user_id))

    async def confirm_by_token(self, presented_token: Secret[str]) -> None:
        """With the token of the link. Raises BadRequest when it does not work."""
        read = self.proofs.read_token(presented_token.reveal())
        found = None if read is None else await self.recovery.load(read[0])
        if read is None or found is None or found.change is None:
            raise self._refusal("unknown")
        if not hmac.compare_digest(found.change.token_digest, read[1]):
            raise self._refusal("wrong_token")
        await self._confirm(found)

    async def confirm_by_code(self, caller: LiveCaller, presented_code: Secret[str]) -> None:
        """With the code, by who asked. Raises BadRequest; every try is counted before it is compared."""
        user_id, now_ms = caller.user_id, self.clock.now_ms()
        found = await self.recovery.try_change_code(user_id, session_epoch=caller.epoch, now_ms=now_ms)
        if found is None or found.change is None:
            raise self._refusal("unknown")
        digest = self.proofs.read_code(user_id, presented_code.reveal())
        if digest is None or not hmac.compare_digest(found.change.code_digest, digest):
            raise self._refusal("wrong_code")
        await self._confirm(found)

    async def _store(self, user: User, email: Email, email_key: str, made: Proof, message: MailMessage) -> None:
        announced = self.outbox.prepare(message)
        expires_ms = self.clock.now_ms() + PROOF_SECONDS * 1000
        if not await self.recovery.ask_change(
            user, made, expires_ms=expires_ms, email=email.address, email_key=email_key, letter=announced.action
        ):
            raise Unauthenticated("account is not active, or sessions have ended", presented=True)
        self.outbox.dispatch(announced)

    async def _confirm(self, found: Found) -> None:
        change, user, now_ms = found.change, found.user, self.clock.now_ms()
        if change is None or now_ms >= change.expires_ms or not user.may_act:
            raise self._refusal("expired")
        moved = replace(user, email=change.email)
        letters = [
            self.outbox.prepare(notice(kind, told, default_locale=self.locale))
            for kind, told in ((MailKind.EMAIL_CHANGED_NOTICE, user), (MailKind.EMAIL_CHANGED, moved))
            if told.email is not None
        ]
        actions = [letter.action for letter in letters]
        match await self.recovery.change_email(user, change, now_ms=now_ms, letters=actions):
            case Refused.STALE:
                raise self._refusal("spent")
            case Refused.TAKEN:
                raise self._refusal("taken")
            case None:
                for letter in letters:
                    self.outbox.dispatch(letter)
                await self.audit.keep(Event(kind=EventKind.EMAIL_CHANGE, outcome="ok", user_id=user.user_id))

    def _refusal(self, outcome: str) -> BadRequest:
        self.audit.record(Event(kind=EventKind.EMAIL_CHANGE, outcome=outcome))
        return BadRequest(outcome, code="invalid_token", title="This link or code does not work, or not any more.")
