"""The closed list of security events, and what each says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId


class EventKind(StrEnum):
    """What happened. A new kind is a new line here, and nowhere a free text."""

    REGISTER = "register"
    EMAIL_VERIFY = "email_verify"
    SIGN_IN = "sign_in"
    REFRESH = "refresh"
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    SESSION_END = "session_end"
    ACCOUNT_CLOSE = "account_close"
    PROFILE_CHANGE = "profile_change"
    PASSWORD_REHASH = "password_rehash"  # noqa: S105 - the name of an event


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. ``outcome`` is a word from the code that judged, never from the request."""

    kind: EventKind
    outcome: str
    user_id: UserId | None = None
    session_id: SessionId | None = None
    alarming: bool = False


class Audit(Protocol):
    """Where events go."""

    def record(self, event: Event) -> None:
        """Keep ``event``. Must not raise: an event that cannot be kept never changes an answer."""
        ...
