"""A session as it was read, and the rules of its life: pure, with the time as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from keyturn.websession import text

if TYPE_CHECKING:
    from keyturn.websession.ids import SessionId

_REFRESHES_A_LIFE: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifetimes:
    """How long a session lives: ``idle_seconds`` without use, ``absolute_seconds`` at most, however busy.

    The defaults are those of NIST SP 800-63B-4 section 2.2.3 for AAL2: an hour, and a day.
    """

    idle_seconds: int = 3600
    absolute_seconds: int = 24 * 3600

    def __post_init__(self) -> None:
        if not 0 < self.idle_seconds <= self.absolute_seconds:
            raise ValueError("idle_seconds is positive, and at most absolute_seconds")


DEFAULT_LIFETIMES: Final = Lifetimes()


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """What is fixed when a session begins. Sealed with the payload, so that a changed item cannot be opened."""

    created_ms: int
    expires_ms: int
    epoch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A session at one moment. ``subject`` is whom it was begun for, or None; ``json`` is its data as text.

    The text never changes, so what a request makes of ``data`` can be told from what it was given.
    """

    id: SessionId
    subject: str | None
    json: str = field(repr=False)
    life: Life
    idle_expires_ms: int
    version: int

    @property
    def data(self) -> dict[str, object]:
        """The data, made anew at each call: yours to change."""
        return text.loads(self.json)


def is_live(*, idle_expires_ms: int, expires_ms: int, now_ms: int) -> bool:
    """Neither life is over. DynamoDB deletes by TTL when it finds the time, which can be days later."""
    return now_ms < idle_expires_ms and now_ms < expires_ms


def is_due(session: Session, *, idle_seconds: int, now_ms: int) -> bool:
    """Whether the idle life should be written anew: after a tenth of it, so that most requests write nothing."""
    lived_ms = now_ms - (session.idle_expires_ms - idle_seconds * 1000)
    return lived_ms * _REFRESHES_A_LIFE >= idle_seconds * 1000
