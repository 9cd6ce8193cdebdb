"""Ending one session: written down for the revocation feed first, then done (docs/adr/0011)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.sessions.model import SessionState

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId
    from service.revocations.log import RevocationLog
    from service.sessions.model import RevokeReason
    from service.sessions.repo import SessionRepo
    from service.store.operations import Put


@dataclass(frozen=True, kw_only=True)
class EndOne:
    """The one way by which a single session ends. Raises StoreUnavailable: an end is never claimed without being so."""

    sessions: SessionRepo
    revocations: RevocationLog

    async def __call__(self, user_id: UserId, session_id: SessionId, *, reason: RevokeReason, now_ms: int) -> bool:
        """End a session that may have ended, or never been. False in that case.

        Beside a feed it is looked at first: ids that are nobody's and tokens that are dead could otherwise be presented
        over and over to fill the feed. What has ended was written down by whoever ended it.
        """
        if self.revocations.is_on:
            session = await self.sessions.load(user_id, session_id)
            if session is None or session.state is not SessionState.ACTIVE:
                return False
        return await self.active(user_id, session_id, reason=reason, now_ms=now_ms)

    async def active(
        self, user_id: UserId, session_id: SessionId, *, reason: RevokeReason, now_ms: int, letter: Put | None = None
    ) -> bool:
        """End a session that was active a moment ago. False when somebody else has ended it since.

        ``letter`` tells its owner and is written with the end: were it a write of its own, a failure between the two
        would leave an owner who is never told, since whoever tries again finds a session that has ended.
        """
        await self.revocations.session_ends(session_id)
        if letter is None:
            return await self.sessions.revoke(user_id, session_id, reason=reason, now_ms=now_ms)
        return await self.sessions.revoke_and_tell(user_id, session_id, reason=reason, now_ms=now_ms, letter=letter)
