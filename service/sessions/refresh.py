"""Refresh: one conditional write beside one consistent read, and the rule that judges a refusal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from service.audit.event import Audit, Event, EventKind
from service.errors import InvalidGrant
from service.mail.message import MailKind, MailMessage
from service.sessions.flights import Flights
from service.sessions.model import RevokeReason
from service.sessions.refresh_token import NONCE_BYTES
from service.sessions.repo import NotRotated, Rotated
from service.sessions.rotation import Granted, Kind, Refusal, Refused, judge

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.secret import Secret
    from service.mail.ports import Announcer
    from service.sessions.ending import EndOne
    from service.sessions.issue import IssuedTokens, Issuer
    from service.sessions.model import Session, SessionLife
    from service.sessions.refresh_token import RefreshKeys, RefreshToken
    from service.sessions.repo import SessionRepo
    from service.users.model import User
    from service.users.repo import UserRepo

SHARED = "shared"
"""The outcome of a call that got the answer of an identical one: that one has its own event."""


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """Turns a refresh token into the next one and an access token."""

    sessions: SessionRepo
    end: EndOne
    users: UserRepo
    keys: RefreshKeys
    life: SessionLife
    issuer: Issuer
    audit: Audit
    clock: Clock
    entropy: Entropy
    post: Announcer
    locale: str
    flights: Flights[IssuedTokens] = field(default_factory=Flights)

    async def __call__(self, presented_text: Secret[str]) -> IssuedTokens:
        """Tokens for the session of ``presented_text``.

        Raises InvalidGrant whatever is wrong with it; Unavailable when the store is away. After a lost answer the same
        token may be presented again and gets the same successor. Presented twice at once, it is asked for once.
        """
        presented = self.keys.decode(presented_text.reveal())
        if presented is None:
            raise self._refusal(Refusal.NOT_OURS, None)
        if presented in self.flights:
            self._record(SHARED, presented, alarming=False)
        return await self.flights.share(presented, lambda: self._refreshed(presented))

    async def _refreshed(self, presented: RefreshToken) -> IssuedTokens:
        now_ms = self.clock.now_ms()
        verdict, user = await self._rotate(presented, now_ms)
        match verdict:
            case Refused(reason=reason):
                if reason is Refusal.REUSE:
                    await self._end_stolen(presented, user, now_ms)
                raise self._refusal(reason, presented)
            case Granted():
                return await self._grant(verdict, user, now_ms)
            case _:
                assert_never(verdict)

    async def _rotate(self, presented: RefreshToken, now_ms: int) -> tuple[Granted | Refused, User | None]:
        nonce = self.entropy.token_bytes(NONCE_BYTES)
        successor = self.keys.successor(presented, kid=self.keys.active_kid, nonce=nonce)
        if successor is None:
            return Refused(reason=Refusal.UNDERIVABLE), None
        outcome, user = await asyncio.gather(
            self.sessions.rotate(
                presented,
                successor,
                nonce=nonce,
                now_ms=now_ms,
                coalesce_ms=self.life.coalesce_ms,
                idle_ms=self.life.idle_seconds * 1000,
            ),
            self.users.load(presented.user_id),
        )
        match outcome:
            case Rotated(session=session):
                return Granted(kind=Kind.ROTATED, token=successor, session=session), user
            case NotRotated(stored=stored):
                return judge(stored, presented, keys=self.keys, life=self.life, now_ms=now_ms), user
            case _:
                assert_never(outcome)

    async def _grant(self, granted: Granted, user: User | None, now_ms: int) -> IssuedTokens:
        reason = user_refusal(user, granted.session)
        if user is None or reason is not None:
            raise self._refusal(reason or Refusal.USER_GONE, granted.token)
        tokens = await self.issuer.issue(granted.session, granted.token, user_scope=user.scope, now_ms=now_ms)
        self._record(granted.kind.value, granted.token, alarming=False)
        return tokens

    async def _end_stolen(self, presented: RefreshToken, user: User | None, now_ms: int) -> None:
        # Before the answer: whoever holds the other copy must find the door closed (invariant I5).
        announced = None if user is None or user.email is None else self.post.prepare(self._notice(user, user.email))
        ended = await self.end.active(
            presented.user_id,
            presented.session_id,
            reason=RevokeReason.REUSE,
            now_ms=now_ms,
            letter=None if announced is None else announced.action,
        )
        if ended and announced is not None:
            self.post.dispatch(announced)

    def _notice(self, user: User, address: str) -> MailMessage:
        return MailMessage(
            to=address,
            template=MailKind.SESSIONS_ENDED,
            values={"reason": RevokeReason.REUSE.value},
            locale=user.locale or self.locale,
        )

    def _refusal(self, reason: Refusal, token: RefreshToken | None) -> InvalidGrant:
        self._record(reason.value, token, alarming=reason.is_alarming)
        return InvalidGrant(reason.value)

    def _record(self, outcome: str, token: RefreshToken | None, *, alarming: bool) -> None:
        self.audit.record(
            Event(
                kind=EventKind.REFRESH,
                outcome=outcome,
                user_id=None if token is None else token.user_id,
                session_id=None if token is None else token.session_id,
                alarming=alarming,
            )
        )


def user_refusal(user: User | None, session: Session) -> Refusal | None:
    """Why this user's session is dead although the token works, or None."""
    if user is None or not user.may_act:
        return Refusal.USER_GONE
    return Refusal.EPOCH if session.epoch < user.epoch else None
