"""Writing down what is ended, before or together with ending it.

A revocation without its entry would be believed by nobody who polls; an entry without its revocation refuses access
tokens that could have lived some minutes longer. So what ends a session writes its entry first, and what ends a user's
puts it into the same transaction: an entry there names an epoch, and one that never came would refuse even those who
sign in anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.revocations.model import SessionEnded, UserEnded
from service.revocations.repo import put_entry

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.ids import SessionId, UserId
    from service.revocations.model import FeedLife
    from service.revocations.repo import RevocationRepo
    from service.store.operations import Put


@dataclass(frozen=True, kw_only=True)
class RevocationLog:
    """Where flows say what they are about to end. While the feed is off it writes nothing.

    It reads the clock itself: an entry's time must be from right before its write, since readers wait for what is late
    only as long as one store call takes.
    """

    repo: RevocationRepo
    life: FeedLife
    clock: Clock
    is_on: bool

    async def session_ends(self, session_id: SessionId) -> None:
        """Write down that a session ends; call it before ending it. Raises StoreUnavailable."""
        if self.is_on:
            await self.repo.add(self._put(SessionEnded(session_id=session_id, at_ms=self.clock.now_ms())))

    def user_ends(self, user_id: UserId, *, epoch: int, kept: SessionId | None = None) -> list[Put]:
        """The action, or none, for the transaction that raises a user's epoch to ``epoch``; made right before it."""
        if not self.is_on:
            return []
        return [self._put(UserEnded(user_id=user_id, epoch=epoch, kept=kept, at_ms=self.clock.now_ms()))]

    def _put(self, entry: SessionEnded | UserEnded) -> Put:
        return put_entry(entry, retain_seconds=self.life.retain_seconds)
