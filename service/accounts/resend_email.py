"""Resend: another confirmation mail for a sign-up that waits, and the same answer whether or not there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.accounts.mails import confirmation
from service.accounts.model import SIGN_UP_SECONDS
from service.audit.event import Audit, Event, EventKind
from service.errors import FieldError, Invalid
from service.kernel.email import parse_email
from service.kernel.text import NameRefusal
from service.mail.message import MailKind, MailMessage

if TYPE_CHECKING:
    from service.accounts.decoys import Decoys
    from service.accounts.model import SignUp
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.mail.links import Links
    from service.mail.outbox import Outbox
    from service.throttle.mail_quotas import MailQuotas
    from service.tokens.onetime import OneTimeKeys
    from service.users.identity import IdentityKeys


@dataclass(frozen=True, kw_only=True)
class ResendEmail:
    """Mails a fresh link and code for the newest sign-up of an address."""

    accounts: AccountRepo
    identities: IdentityKeys
    onetime: OneTimeKeys
    links: Links
    outbox: Outbox
    quotas: MailQuotas
    decoys: Decoys
    audit: Audit
    clock: Clock
    entropy: Entropy

    async def __call__(self, claimed_email: str, *, network: str) -> None:
        """Raises Invalid for what is no address; otherwise answers nothing, whoever the address belongs to.

        Nothing is done, and nothing said of it, once ``network`` or the address has had its share of mails.
        """
        email = parse_email(claimed_email)
        if isinstance(email, NameRefusal):
            raise Invalid(FieldError(field="email", code=email.code, message=email.sentence))
        now_ms = self.clock.now_ms()
        email_key = self.identities.of(email)
        if not await self.quotas.allow(email_key=email_key, network=network):
            self._record("limited")
            return
        waiting = await self.accounts.newest(email_key, now_ms=now_ms)
        # Two reads and a transaction of four, whatever was found: the time tells nothing.
        if waiting.sign_up is None:
            outcome = "nothing_waits"
            # Made for nobody and thrown away: it takes as long as one for somebody.
            self.onetime.new(email_key, self.entropy)
            self.outbox.prepare(MailMessage(to=email.address, template=MailKind.REGISTER_AGAIN, locale=""))
            await self.decoys.write(email_key, 4)
        elif waiting.contested:
            outcome = "contested"
            await self._ask_to_begin_again(waiting.sign_up)
        else:
            outcome = "mailed" if await self._renew(waiting.sign_up, now_ms) else "overtaken"
        self._record(outcome)

    async def _ask_to_begin_again(self, sign_up: SignUp) -> None:
        """Which of two sign-ups is its owner's nobody knows: a link to the wrong one would open the account to another.

        So no link is mailed; who registers again gets one that is of its own password.
        """
        message = MailMessage(to=sign_up.email, template=MailKind.REGISTER_AGAIN, locale=sign_up.locale)
        announced = self.outbox.prepare(message)
        await self.decoys.write(sign_up.email_key, 3, announced.action)
        self.outbox.dispatch(announced)

    async def _renew(self, old: SignUp, now_ms: int) -> bool:
        proof = self.onetime.new(old.email_key, self.entropy)
        renewed = replace(old, key=proof.key, token_digest=proof.digest, expires_ms=now_ms + SIGN_UP_SECONDS * 1000)
        announced = self.outbox.prepare(confirmation(renewed, proof, self.links))
        # At once: the latest link is the only one, and no fault leaves an address that is held and cannot be mailed to.
        if not await self.accounts.renew(renewed, old_key=old.key, letter=announced.action):
            return False
        self.outbox.dispatch(announced)
        return True

    def _record(self, outcome: str) -> None:
        self.audit.record(Event(kind=EventKind.EMAIL_RESEND, outcome=outcome))
