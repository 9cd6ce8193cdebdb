"""The closed list of security events, and what each says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.kernel.ids import SessionId, UserId


class EventKind(StrEnum):
    """What happened. A new kind is a new line here and in ``service.audit.keeping``, and nowhere a free text."""

    REGISTER = "register"
    EMAIL_VERIFY = "email_verify"
    EMAIL_RESEND = "email_resend"
    EMAIL_CHANGE_ASK = "email_change_ask"
    EMAIL_CHANGE = "email_change"
    SIGN_IN = "sign_in"
    REFRESH = "refresh"
    LOGOUT = "logout"
    LOGOUT_ALL = "logout_all"
    SESSION_END = "session_end"
    PASSWORD_FORGOT = "password_forgot"  # noqa: S105 - the names of events
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_CHANGE = "password_change"  # noqa: S105
    PASSWORD_REHASH = "password_rehash"  # noqa: S105
    PROFILE_CHANGE = "profile_change"
    ACCOUNT_EXPORT = "account_export"
    ACCOUNT_CLOSE = "account_close"
    USER_CREATE = "user_create"
    USER_DISABLE = "user_disable"
    USER_ENABLE = "user_enable"
    USER_LOCK = "user_lock"
    USER_UNLOCK = "user_unlock"
    EVENTS_READ = "events_read"
    THROTTLE = "throttle"
    KEY_ROTATE = "key_rotate"
    KEY_RETIRE = "key_retire"


class Agent(StrEnum):
    """Who acts without an account: somebody at the ``keyturn`` command, or the service by itself."""

    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event.

    ``outcome`` is a word from the code that judged, never from the request: it becomes a metric's label. ``user_id`` is
    the account that it happened to; ``actor`` is who did it where that was not the user. ``alarming`` asks for an
    operator's eyes. Time and the request's facts are added by whoever records it.
    """

    kind: EventKind
    outcome: str
    user_id: UserId | None = None
    session_id: SessionId | None = None
    actor: UserId | Agent | None = None
    alarming: bool = False


class Audit(Protocol):
    """Where events go."""

    def record(self, event: Event) -> None:
        """Keep ``event``. Must not raise: an event that cannot be kept never changes an answer."""
        ...


class AuditKeeper(Audit, Protocol):
    """Where events go that shall be kept before the answer is given."""

    async def keep(self, event: Event) -> bool:
        """Keep ``event`` now. False when it could not be, within a bounded time; it is then kept as ``record`` does.

        Must not raise: what the event tells of has been done, and an error would say that it has not.
        """
        ...
