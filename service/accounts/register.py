"""Register: an address and a password become a sign-up that its owner confirms.

The account is made when the address is confirmed (docs/adr/0002): nobody can squat an address that is not theirs, and
an unconfirmed sign-up costs little. Nothing of the answer says whether the address has an account; its owner is told
by mail. Where the settings let us disclose, the names are held from the first moment, and taken ones refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.mails import confirmation
from service.accounts.model import SIGN_UP_SECONDS, SignUp
from service.accounts.repo import Taken
from service.audit.event import Audit, Event, EventKind
from service.errors import Conflict
from service.kernel.ids import UserId, new_user_id
from service.mail.message import MailKind, MailMessage

if TYPE_CHECKING:
    from service.accounts.decoys import Decoys
    from service.accounts.names import NewNames
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.mail.links import Links
    from service.mail.outbox import Outbox
    from service.passwords.hasher import PasswordHasher
    from service.throttle.mail_quotas import MailQuotas
    from service.tokens.onetime import OneTime, OneTimeKeys
    from service.users.identity import IdentityKeys
    from service.users.repo import UserRepo


@dataclass(frozen=True, kw_only=True)
class Register:
    """Takes a sign-up on. ``discloses`` is ``KEYTURN_REGISTRATION=disclose``."""

    accounts: AccountRepo
    users: UserRepo
    identities: IdentityKeys
    hasher: PasswordHasher
    onetime: OneTimeKeys
    links: Links
    outbox: Outbox
    quotas: MailQuotas
    decoys: Decoys
    audit: Audit
    clock: Clock
    entropy: Entropy
    discloses: bool

    async def __call__(self, names: NewNames, password: Secret[str], *, locale: str, network: str) -> UserId | None:
        """The id that the account will have where that may be told, else None.

        ``password`` has passed the policy. Once ``network`` or the address has had its share of mails nothing is done,
        and nothing said of it. Where more may be told, raises TooManyRequests for that, and Conflict for a taken name.
        """
        if not await self._may_mail(self.identities.of(names.email), network):
            self._record("limited")
            return None
        # The hash comes first and always: a taken address takes as long as a free one.
        password_hash = await self.hasher.hash(password)
        now_ms = self.clock.now_ms()
        email_key = self.identities.of(names.email)
        proof = self.onetime.new(email_key, self.entropy)
        sign_up = SignUp(
            key=proof.key,
            token_digest=proof.digest,
            user_id=new_user_id(self.entropy),
            email=names.email.address,
            email_key=email_key,
            username=names.username.display if names.username else None,
            username_key=self.identities.of(names.username) if names.username else None,
            password_hash=password_hash,
            locale=locale,
            expires_ms=now_ms + SIGN_UP_SECONDS * 1000,
        )
        if self.discloses:
            return await self._openly(sign_up, proof, now_ms)
        await self._privately(sign_up, proof)
        return None

    async def _may_mail(self, email_key: str, network: str) -> bool:
        if not self.discloses:
            return await self.quotas.allow(email_key=email_key, network=network)
        # Names are held there from the first moment: "accepted" would hold them for a mail that never comes.
        await self.quotas.take(email_key=email_key, network=network)
        return True

    async def _openly(self, sign_up: SignUp, proof: OneTime, now_ms: int) -> UserId:
        announced = self.outbox.prepare(confirmation(sign_up, proof, self.links))
        taken = await self.accounts.hold(sign_up, letter=announced.action, now_ms=now_ms)
        if taken is not None:
            self._record(f"{taken.name.lower()}_taken")
            raise conflict(taken)
        self.outbox.dispatch(announced)
        self._record("held")
        return sign_up.user_id

    async def _privately(self, sign_up: SignUp, proof: OneTime) -> None:
        keys = [sign_up.email_key, sign_up.username_key or sign_up.email_key]
        email_owner, username_owner = await self.users.owners_of(keys)
        # What was read decides which mail goes out and no more; who gets a name is decided when it is confirmed.
        taken = None
        if email_owner is not None:
            taken = Taken.EMAIL
        elif username_owner is not None:
            taken = Taken.USERNAME
        announced = self.outbox.prepare(self._mail_for(taken, sign_up, proof))
        # A transaction of three either way, so that the time tells nothing; done before the answer.
        if taken is None:
            await self.accounts.keep(sign_up, letter=announced.action)
        else:
            await self.decoys.write(sign_up.email_key, 2, announced.action)
        self.outbox.dispatch(announced)
        self._record("kept" if taken is None else f"{taken.name.lower()}_taken", owner=email_owner)

    def _mail_for(self, taken: Taken | None, sign_up: SignUp, proof: OneTime) -> MailMessage:
        if taken is None:
            return confirmation(sign_up, proof, self.links)
        kind = MailKind.ALREADY_REGISTERED if taken is Taken.EMAIL else MailKind.USERNAME_TAKEN
        return MailMessage(to=sign_up.email, template=kind, locale=sign_up.locale)

    def _record(self, outcome: str, *, owner: UserId | None = None) -> None:
        """``owner`` is whose account has the address already: somebody tried to register with it."""
        self.audit.record(Event(kind=EventKind.REGISTER, outcome=outcome, user_id=owner))


def conflict(taken: Taken) -> Conflict:
    """The refusal of a taken name."""
    if taken is Taken.EMAIL:
        return Conflict(code="email_taken", title="This address has an account, or is about to.")
    return Conflict(code="username_taken", title="This username is taken.")
