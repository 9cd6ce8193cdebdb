"""Resend: another confirmation mail for a sign-up that waits, and the same answer whether or not there is one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.accounts.mails import confirmation
from service.accounts.model import SIGN_UP_SECONDS
from service.errors import FieldError, Invalid
from service.kernel.email import parse_email
from service.kernel.text import NameRefusal

if TYPE_CHECKING:
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.mail.links import Links
    from service.mail.ports import Announcer
    from service.tokens.onetime import OneTimeKeys
    from service.users.identity import IdentityKeys


@dataclass(frozen=True, kw_only=True)
class ResendEmail:
    """Mails a fresh link and code for the newest sign-up of an address."""

    accounts: AccountRepo
    identities: IdentityKeys
    onetime: OneTimeKeys
    links: Links
    post: Announcer
    clock: Clock
    entropy: Entropy

    async def __call__(self, claimed_email: str) -> None:
        """Raises Invalid for what is no address; otherwise answers nothing, whoever the address belongs to."""
        email = parse_email(claimed_email)
        if isinstance(email, NameRefusal):
            raise Invalid(FieldError(field="email", code=email.code, message=email.sentence))
        now_ms = self.clock.now_ms()
        email_key = self.identities.of(email)
        waiting = await self.accounts.newest(email_key, now_ms=now_ms)
        if waiting is None:
            return
        proof = self.onetime.new(email_key, self.entropy)
        renewed = replace(waiting, key=proof.key, token_digest=proof.digest, expires_ms=now_ms + SIGN_UP_SECONDS * 1000)
        await asyncio.gather(
            self.accounts.keep(renewed),
            self.accounts.point_to(email_key, renewed.key, expires_ms=renewed.expires_ms),
        )
        await self.post.announce(confirmation(renewed, proof, self.links))
