"""Where each event is kept: a rule that can be read as a list.

Every event is a log line and a count. In the table, each is one item (one write unit) in its user's partition, or among
those of nobody; what an operator must be able to go through by time is a second item in the feed of the day
(docs/adr/0010). What a stranger can cause is kept where something bounds how often: the lanes of the throttle for
refused sign-ins, the quotas of mails for what is mailed. What nothing bounds is in the log alone:

- refreshes, which come by the thousand; the alarming ones are kept;
- what is refused because a quota is used up, and mailed tokens that do not work;
- a logout of a session that had ended: nothing happened, and a dead token can be presented for ever.

An event of nobody costs the same write as one of an account. What a request causes after its answer tells no more than
the answer who has an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import EventKind

if TYPE_CHECKING:
    from service.audit.event import Event

_UNBOUNDED = {
    EventKind.LOGOUT: frozenset({"had_ended"}),
    EventKind.PASSWORD_REHASH: frozenset({"put_off"}),
}
"""Outcomes of a user's own events that are not kept."""
_OF_STRANGERS = {
    EventKind.SIGN_IN: frozenset(
        {
            "unknown",
            "mismatch",
            "no_password",
            "not_presentable",
            "malformed_hash",
            "hash_over_bound",
            "user_disabled",
            "user_locked",
            "user_deleted",
        }
    ),
    EventKind.REGISTER: frozenset({"kept", "held", "email_taken", "username_taken"}),
    EventKind.EMAIL_RESEND: frozenset({"mailed", "contested", "nothing_waits"}),
    EventKind.PASSWORD_FORGOT: frozenset({"mailed", "no_account", "not_active"}),
    EventKind.THROTTLE: frozenset({"account", "address", "device", "code"}),
}
"""What anybody can cause, and how it ends where a lane or a quota bounds it; all other outcomes are not kept."""
_OWN = {EventKind.SIGN_IN: frozenset({"ok"}), EventKind.THROTTLE: frozenset({"mail-device"})}
"""Outcomes of those kinds that need the right password."""
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
    """Where in the table an event goes; nowhere when none. ``nobody`` is for what happened to no account."""

    user: bool
    feed: bool
    nobody: bool = False

    @property
    def any(self) -> bool:
        """Whether it is in the table at all."""
        return self.user or self.feed or self.nobody


def places(event: Event) -> Places:
    """Where ``event`` goes beside the log."""
    feed = event.alarming or event.actor is not None or event.kind in _ADMINISTRATIVE
    if event.user_id is None:
        return Places(user=False, feed=feed, nobody=not feed and is_anybodys(event))
    return Places(user=feed or is_anybodys(event) or _is_the_users_own(event), feed=feed)


def is_anybodys(event: Event) -> bool:
    """Whether a stranger can cause it, as often as a lane or a quota lets him."""
    return event.outcome in _OF_STRANGERS.get(event.kind, ())


def _is_the_users_own(event: Event) -> bool:
    if event.kind is EventKind.REFRESH:
        return False
    if event.kind in _OF_STRANGERS:
        return event.outcome in _OWN.get(event.kind, ())
    return event.outcome not in _UNBOUNDED.get(event.kind, ())
