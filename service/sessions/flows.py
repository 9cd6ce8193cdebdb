"""Begin, list and end sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Audit, Event, EventKind
from service.errors import NotFound, Unauthenticated
from service.kernel.ids import new_session_id
from service.sessions.model import Device, RevokeReason, Session, SessionLife, SessionState, SignInFacts
from service.sessions.refresh_token import SECRET_BYTES, RefreshToken
from service.users.repo import EndedAll

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.ids import SessionId, UserId
    from service.kernel.secret import Secret
    from service.revocations.log import RevocationLog
    from service.sessions.ending import EndOne
    from service.sessions.issue import IssuedTokens, Issuer
    from service.sessions.refresh_token import RefreshKeys
    from service.sessions.repo import SessionRepo
    from service.store.codec import Item
    from service.store.operations import Put
    from service.users.model import User
    from service.users.repo import UserRepo

_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """What a sign-in ends with, whichever factors it went through."""

    sessions: SessionRepo
    keys: RefreshKeys
    life: SessionLife
    issuer: Issuer
    entropy: Entropy

    async def __call__(
        self, user: User, facts: SignInFacts, device: Device, *, now_ms: int, letter: Put | None = None
    ) -> IssuedTokens:
        """Tokens of a new session. ``user`` is as read before its factors were checked: what ended since, ends this.

        ``now_ms`` is from before that reading: no access token outlives the end of its user's sessions by more than
        its life, however long the check took. The id is made here and nothing of the request goes into it (CWE-384).
        ``rotated_ms`` is 0: a sign-in is no rotation, so the first refresh may rotate at once. ``letter`` tells the
        owner and is written with the session, both or neither.
        """
        token = RefreshToken(
            kid=self.keys.active_kid,
            user_id=user.user_id,
            session_id=new_session_id(self.entropy),
            generation=0,
            secret=self.entropy.token_bytes(SECRET_BYTES),
        )
        session = Session(
            user_id=user.user_id,
            session_id=token.session_id,
            state=SessionState.ACTIVE,
            generation=0,
            digest=token.digest,
            previous_digest=None,
            nonce=None,
            kid=token.kid,
            rotated_ms=0,
            idle_expiry_ms=now_ms + self.life.idle_seconds * 1000,
            absolute_expiry_ms=now_ms + self.life.absolute_seconds * 1000,
            epoch=user.epoch,
            created_ms=now_ms,
            facts=facts,
            device=device,
        )
        if letter is None:
            await self.sessions.create(session)
        else:
            await self.sessions.create_and_tell(session, letter)
        return await self.issuer.issue(session, token, user_scope=user.scope, now_ms=now_ms)


@dataclass(frozen=True, kw_only=True)
class Logout:
    """Ends the session of a refresh token."""

    end: EndOne
    keys: RefreshKeys
    audit: Audit
    clock: Clock

    async def __call__(self, presented_text: Secret[str]) -> None:
        """Idempotent: a token that is not ours, or whose session has ended, is as logged out as can be (RFC 7009).

        Raises Unavailable when the revocation could not be written: it is never claimed without being so.
        """
        token = self.keys.decode(presented_text.reveal())
        if token is None:
            return
        ended = await self.end(token.user_id, token.session_id, reason=RevokeReason.LOGOUT, now_ms=self.clock.now_ms())
        outcome = "ended" if ended else "had_ended"
        self.audit.record(
            Event(kind=EventKind.LOGOUT, outcome=outcome, user_id=token.user_id, session_id=token.session_id)
        )


@dataclass(frozen=True, kw_only=True)
class LogoutAll:
    """Ends every session of a user with one write, or one transaction beside a revocation feed."""

    users: UserRepo
    revocations: RevocationLog
    audit: Audit

    async def __call__(self, user_id: UserId, *, session_epoch: int) -> None:
        """Raise the user's epoch, on the word of a session of ``session_epoch``.

        Where it was raised since, every session that the caller can mean has ended: that is no error, so that a lost
        answer may be asked for again, and nothing is done, so that an ended session ends no later one. Raises
        Unauthenticated when the account is not active any more.
        """
        entries = self.revocations.user_ends(user_id, epoch=session_epoch + 1)
        match await self.users.end_all_sessions(user_id, session_epoch=session_epoch, entries=entries):
            case EndedAll.ENDED:
                self.audit.record(Event(kind=EventKind.LOGOUT_ALL, outcome="ended", user_id=user_id))
            case EndedAll.HAD_ENDED:
                return
            case EndedAll.NOT_ACTIVE:
                raise Unauthenticated("account is not active", presented=True)


@dataclass(frozen=True, kw_only=True)
class LiveSessions:
    """Some of a user's sessions that could still be refreshed, and where to go on."""

    sessions: tuple[Session, ...]
    next_start: Item | None


@dataclass(frozen=True, kw_only=True)
class ListSessions:
    """The sessions of a user that are alive."""

    sessions: SessionRepo
    users: UserRepo
    clock: Clock

    async def __call__(self, user_id: UserId, *, start: Item | None) -> LiveSessions:
        """One page. Ended, expired and out-dated ones are left out, whether or not DynamoDB has collected them.

        Raises Unauthenticated when the account has stopped being active since the token, as at every other door.
        """
        user = await self.users.load(user_id)
        if user is None or not user.may_act:
            raise Unauthenticated("account is not active", presented=True)
        page = await self.sessions.page(user_id, limit=_PAGE, start=start)
        now_ms = self.clock.now_ms()
        live = tuple(one for one in page.sessions if one.is_live(now_ms=now_ms, user_epoch=user.epoch))
        return LiveSessions(sessions=live, next_start=page.next_start)


@dataclass(frozen=True, kw_only=True)
class EndSession:
    """Ends one session of a user by its id."""

    end: EndOne
    users: UserRepo
    audit: Audit
    clock: Clock

    async def __call__(self, user_id: UserId, session_id: SessionId, *, session_epoch: int) -> None:
        """On the word of a session of ``session_epoch``.

        Raises NotFound when there is none, or it has ended; Unauthenticated when the account is not active, or the
        caller's own session is dead by the epoch.
        """
        user = await self.users.load(user_id)
        if user is None or not user.may_act or session_epoch < user.epoch:
            raise Unauthenticated("account is not active, or sessions have ended", presented=True)
        ended = await self.end(user_id, session_id, reason=RevokeReason.ENDED_BY_OWNER, now_ms=self.clock.now_ms())
        if not ended:
            raise NotFound
        self.audit.record(Event(kind=EventKind.SESSION_END, outcome="ended", user_id=user_id, session_id=session_id))
