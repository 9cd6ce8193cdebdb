"""Removing the sessions of an account that is gone: their items hold names of devices."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from service.errors import Unavailable

if TYPE_CHECKING:
    from service.kernel.ids import UserId
    from service.sessions.repo import SessionRepo
    from service.store.codec import Item

_log = logging.getLogger(__name__)
_PAGE = 50


async def sweep_sessions(sessions: SessionRepo, user_id: UserId) -> None:
    """Erase them all. Cut short it does no harm: they are dead by the epoch, and their TTL collects them."""
    try:
        start: Item | None = None
        while True:
            page = await sessions.page(user_id, limit=_PAGE, start=start)
            for session in page.sessions:
                await sessions.erase(session)
            start = page.next_start
            if start is None:
                return
    except Unavailable as error:
        _log.warning("sessions not swept", extra={"problem": error.detail_for_log})
