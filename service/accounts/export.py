"""Export: everything held about somebody, page by page, for that person alone.

Each page begins with the account as it is; then come the sessions, then the events, and none is left out. What a page
goes on with is in its cursor, so nothing is kept between two pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import Unauthenticated

if TYPE_CHECKING:
    from service.accounts.export_repo import Held, HeldRepo
    from service.audit.entry import KeptEvent
    from service.audit.repo import EventRepo
    from service.kernel.clock import Clock
    from service.kernel.ids import UserId
    from service.sessions.model import Session
    from service.sessions.repo import SessionRepo
    from service.store.codec import Item
    from service.tokens.session_gate import LiveCaller

PAGE = 50
"""Sessions, and events, of one page at most."""
_EVENTS = "events"
_SESSIONS = "sessions"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One page. ``now_ms`` is when it was true; ``next_start`` is where the next one begins, None on the last."""

    held: Held
    sessions: tuple[Session, ...]
    events: tuple[KeptEvent, ...]
    now_ms: int
    next_start: Item | None


@dataclass(frozen=True, kw_only=True)
class ExportAccount:
    """Reads what the tables hold under the caller's own id, which is in every key that is asked for."""

    held: HeldRepo
    sessions: SessionRepo
    events: EventRepo
    audit: AuditKeeper
    clock: Clock

    async def __call__(self, caller: LiveCaller, *, start: Item | None) -> Exported:
        """One page; that it was asked for is an event, once an export. Raises Unauthenticated, StoreUnavailable."""
        held = await self.held.load(caller.user_id)
        if held is None or not held.user.may_act or caller.epoch < held.user.epoch:
            raise Unauthenticated("account is not active, or sessions have ended", presented=True)
        if start is None:
            event = Event(kind=EventKind.ACCOUNT_EXPORT, outcome="ok", user_id=caller.user_id)
            await self.audit.keep(event)
        sessions, then = await self._sessions(caller.user_id, start)
        if then is not None:
            return Exported(held=held, sessions=sessions, events=(), now_ms=self.clock.now_ms(), next_start=then)
        events, then = await self._events(caller.user_id, start)
        return Exported(held=held, sessions=sessions, events=events, now_ms=self.clock.now_ms(), next_start=then)

    async def _sessions(self, user_id: UserId, start: Item | None) -> tuple[tuple[Session, ...], Item | None]:
        if start is not None and start["part"] != _SESSIONS:
            return (), None
        page = await self.sessions.page(user_id, limit=PAGE, start=_key(start))
        return page.sessions, _at(_SESSIONS, page.next_start)

    async def _events(self, user_id: UserId, start: Item | None) -> tuple[tuple[KeptEvent, ...], Item | None]:
        key = _key(start) if start is not None and start["part"] == _EVENTS else None
        page = await self.events.page(user_id, limit=PAGE, start=key, now_ms=self.clock.now_ms())
        return page.events, _at(_EVENTS, page.next_start)


def _at(part: str, key: Item | None) -> Item | None:
    return None if key is None else {"part": part, "key": key}


def _key(start: Item | None) -> Item | None:
    return None if start is None else cast("dict[str, Any]", start)["key"]
