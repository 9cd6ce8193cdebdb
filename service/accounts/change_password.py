"""Change: who is signed in and knows the password sets another; every other session ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.mails import notice
from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import Conflict
from service.mail.message import MailKind

if TYPE_CHECKING:
    from service.accounts.new_password import NewPasswords
    from service.accounts.proof_of_password import ProofOfPassword
    from service.accounts.recovery_repo import RecoveryRepo
    from service.kernel.clock import Clock
    from service.kernel.secret import Secret
    from service.mail.outbox import Outbox
    from service.passwords.hasher import PasswordHasher
    from service.revocations.log import RevocationLog
    from service.tokens.session_gate import LiveCaller


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """Replaces the password that was checked, and no other."""

    recovery: RecoveryRepo
    proof: ProofOfPassword
    new_passwords: NewPasswords
    hasher: PasswordHasher
    outbox: Outbox
    revocations: RevocationLog
    audit: AuditKeeper
    clock: Clock
    locale: str

    async def __call__(self, caller: LiveCaller, *, current: Secret[str], new: Secret[str], network: str) -> None:
        """Raises InvalidCredentials for a wrong current password, Invalid for the new one, Conflict for a race."""
        user_id = caller.user_id
        proven = await self.proof.require(user_id, current, session_epoch=caller.epoch, network=network)
        await self.new_passwords.require(new, proven.user)
        new_hash = await self.hasher.hash(new)
        announced = self.outbox.prepare(notice(MailKind.PASSWORD_CHANGED, proven.user, default_locale=self.locale))
        done = await self.recovery.change_password(
            proven.user,
            caller.session_id,
            old_hash=proven.password_hash,
            new_hash=new_hash,
            now_ms=self.clock.now_ms(),
            letter=announced.action,
            entries=self.revocations.user_ends(user_id, epoch=proven.user.epoch + 1, kept=caller.session_id),
        )
        if not done:
            raise changed_meanwhile()
        self.outbox.dispatch(announced)
        await self.audit.keep(Event(kind=EventKind.PASSWORD_CHANGE, outcome="ok", user_id=user_id))


def changed_meanwhile() -> Conflict:
    """The password, the account or this session is not as it was when the password was checked."""
    return Conflict(code="changed_meanwhile", title="The account was changed meanwhile. Try again.")
