"""Where each event is kept: a rule that can be read as a list.

Every event is a log line and a count. In the table, each is one item (one write unit) in its user's partition; what an
operator must be able to go through by time is a second item in the feed of the day (docs/adr/0010). Not in the table:

- refreshes, which come by the thousand; the alarming ones are;
- what anybody can cause for anybody's account (a wrong password, a forgotten one, a mail asked for again): a stranger
  could fill the owner's list and the bill, and the write would happen for accounts that exist and for no others. From
  the limit on they are one ``throttle`` event;
- a logout of a session that had ended: nothing happened, and a dead token can be presented for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import EventKind

if TYPE_CHECKING:
    from service.audit.event import Event

_LOG_ONLY = frozenset(
    {
        EventKind.REFRESH,
        EventKind.REGISTER,
        EventKind.EMAIL_RESEND,
        EventKind.PASSWORD_FORGOT,
        EventKind.PASSWORD_REHASH,
    }
)
_ONLY_WITH_OUTCOME = {EventKind.SIGN_IN: "ok", EventKind.LOGOUT: "ended"}
_ADMINISTRATIVE = frozenset(
    {
        EventKind.USER_CREATE,
        EventKind.USER_DISABLE,
        EventKind.USER_ENABLE,
        EventKind.USER_LOCK,
        EventKind.USER_UNLOCK,
        EventKind.EVENTS_READ,
        EventKind.KEY_ROTATE,
        EventKind.KEY_RETIRE,
    }
)


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where in the table an event goes; nowhere when neither."""

    user: bool
    feed: bool


def places(event: Event) -> Places:
    """Where ``event`` goes beside the log."""
    feed = event.alarming or event.actor is not None or event.kind in _ADMINISTRATIVE
    user = event.user_id is not None and (feed or _is_the_users_own(event))
    return Places(user=user, feed=feed)


def _is_the_users_own(event: Event) -> bool:
    needed = _ONLY_WITH_OUTCOME.get(event.kind, event.outcome)
    return event.kind not in _LOG_ONLY and event.outcome == needed
