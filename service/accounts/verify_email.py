"""Verify: the link or the code of the mail makes the account."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.accounts.repo import Spent, Taken
from service.audit.event import Audit, Event, EventKind
from service.errors import BadRequest, Conflict
from service.kernel.email import parse_email
from service.kernel.text import NameRefusal
from service.throttle.gate import LaneLimited
from service.users.model import User, UserState

if TYPE_CHECKING:
    from service.accounts.model import SignUp
    from service.accounts.repo import AccountRepo
    from service.kernel.clock import Clock
    from service.kernel.email import Email
    from service.kernel.secret import Secret
    from service.throttle.lanes import LaneKeys
    from service.throttle.limiter import Throttle
    from service.tokens.onetime import OneTimeKeys
    from service.users.identity import IdentityKeys


@dataclass(frozen=True, kw_only=True)
class VerifyEmail:
    """Spends a sign-up and opens its account in one transaction."""

    accounts: AccountRepo
    identities: IdentityKeys
    onetime: OneTimeKeys
    throttle: Throttle
    lanes: LaneKeys
    audit: Audit
    clock: Clock

    async def by_token(self, presented_token: Secret[str]) -> None:
        """Confirm with the token of the link. Raises BadRequest when it does not work, Conflict for the username."""
        read = self.onetime.read_token(presented_token.reveal())
        if read is None:
            raise self._refusal("not_ours")
        key, digest = read
        sign_up = await self.accounts.find(key, now_ms=self.clock.now_ms())
        if sign_up is None or not hmac.compare_digest(sign_up.token_digest, digest):
            raise self._refusal("unknown")
        await self._confirm(sign_up)

    async def by_code(self, claimed_email: str, presented_code: Secret[str], *, network: str) -> None:
        """Confirm with the address and the code of the mail. Raises as ``by_token`` does, TooManyRequests besides."""
        email = parse_email(claimed_email)
        try:
            sign_up = None if isinstance(email, NameRefusal) else await self._try(email, presented_code, network)
        except LaneLimited as refusal:
            if refusal.is_news:
                self.audit.record(Event(kind=EventKind.THROTTLE, outcome=refusal.lane))
            raise
        if sign_up is None:
            raise self._refusal("unknown")
        await self._confirm(sign_up)

    async def _try(self, email: Email, presented_code: Secret[str], network: str) -> SignUp | None:
        subject = self.identities.of(email)
        lanes = self.lanes.code(door="verify", subject=subject, prefix=network)
        async with await self.throttle.before(lanes) as attempt:
            await attempt.at_slot()
            key = self.onetime.key_of_code(subject, presented_code.reveal())
            sign_up = None if key is None else await self.accounts.find(key, now_ms=self.clock.now_ms())
            await (attempt.failed() if sign_up is None else attempt.succeeded())
        return sign_up

    async def _confirm(self, sign_up: SignUp) -> None:
        now_ms = self.clock.now_ms()
        match await self.accounts.confirm(sign_up, _user_of(sign_up, now_ms=now_ms), now_ms=now_ms):
            case Spent.SPENT:
                raise self._refusal("spent")
            case Taken.EMAIL:
                raise self._refusal("email_taken")
            case Taken.USERNAME:
                # Who asks has proven the address, and usernames are no secret; the sign-up is not spent.
                self._record("username_taken")
                raise taken_meanwhile()
            case None:
                self.audit.record(Event(kind=EventKind.EMAIL_VERIFY, outcome="ok", user_id=sign_up.user_id))

    def _refusal(self, outcome: str) -> BadRequest:
        self._record(outcome)
        return refusal(outcome)

    def _record(self, outcome: str) -> None:
        self.audit.record(Event(kind=EventKind.EMAIL_VERIFY, outcome=outcome))


def refusal(detail_for_log: str = "") -> BadRequest:
    """The one answer to a link or code that does not work, whatever the reason."""
    title = "This link or code does not work, or not any more."
    return BadRequest(detail_for_log, code="invalid_token", title=title)


def taken_meanwhile() -> Conflict:
    """The username went to somebody else while the sign-up waited."""
    return Conflict(code="username_taken", title="This username is taken meanwhile. Register again with another.")


def _user_of(sign_up: SignUp, *, now_ms: int) -> User:
    return User(
        user_id=sign_up.user_id,
        state=UserState.ACTIVE,
        epoch=0,
        email=sign_up.email,
        email_key=sign_up.email_key,
        username=sign_up.username,
        username_key=sign_up.username_key,
        scope="",
        display_name=None,
        locale=sign_up.locale,
        created_ms=now_ms,
        verified_ms=now_ms,
        is_fresh=True,
    )
