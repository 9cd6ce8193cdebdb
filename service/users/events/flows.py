"""Read what happened to an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import AuditKeeper, Event, EventKind
from service.errors import Unauthenticated

if TYPE_CHECKING:
    from service.audit.repo import EventPage, EventRepo
    from service.kernel.clock import Clock
    from service.kernel.ids import UserId
    from service.store.codec import Item
    from service.users.repo import UserRepo

_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class ListEvents:
    """The events of a user, the newest first."""

    events: EventRepo
    users: UserRepo
    audit: AuditKeeper
    clock: Clock

    async def __call__(self, user_id: UserId, *, reader: UserId, start: Item | None) -> EventPage:
        """One page. Raises Unauthenticated when ``reader`` has stopped being active since its token.

        The user need not be active, nor be there, when an operator asks: what happened to a deleted account is
        evidence. An operator's reading is an event too, recorded once a list and not once a page.
        """
        caller = await self.users.load(reader)
        if caller is None or not caller.may_act:
            raise Unauthenticated("account is not active", presented=True)
        if reader != user_id and start is None:
            await self.audit.keep(Event(kind=EventKind.EVENTS_READ, outcome="read", user_id=user_id, actor=reader))
        return await self.events.page(user_id, limit=_PAGE, start=start, now_ms=self.clock.now_ms())
