"""Whether the session that an access token names is still alive.

The token itself lives out its minutes (docs/threat-model.md). Doors behind which something is changed ask here first:
one read, and its epoch goes into the condition of the write, so that what ends every session is never overtaken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from service.errors import Unauthenticated
from service.tokens.gatekeeper import Caller

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.ids import SessionId, UserId


class SessionEpochs(Protocol):
    """What is known of sessions."""

    async def live_epoch(self, user_id: UserId, session_id: SessionId, *, now_ms: int) -> int | None:
        """The epoch of a session that is active and has not expired, else None. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, kw_only=True)
class LiveCaller(Caller):
    """A caller whose session has not ended; ``epoch`` is the session's: one below the user's is dead all the same."""

    epoch: int


@dataclass(frozen=True, kw_only=True)
class SessionGate:
    """Looks at the caller's session, strongly consistent."""

    sessions: SessionEpochs
    clock: Clock

    async def require_alive(self, caller: Caller) -> LiveCaller:
        """Raises Unauthenticated when the session was ended, has expired or is not there; StoreUnavailable."""
        epoch = await self.sessions.live_epoch(caller.user_id, caller.session_id, now_ms=self.clock.now_ms())
        if epoch is None:
            raise Unauthenticated("session has ended", presented=True)
        return LiveCaller(principal=caller.principal, user_id=caller.user_id, session_id=caller.session_id, epoch=epoch)
