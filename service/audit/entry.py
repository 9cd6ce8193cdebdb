"""An event as it is kept: with its time, its place in the order, and the request that caused it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.audit.event import Agent
from service.kernel.ids import id_text

if TYPE_CHECKING:
    from service.audit.event import Event
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.kernel.ids import SessionId, UserId
    from service.telemetry.request_facts import RequestFacts

_RANDOM_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kept event. ``event_id`` sorts by time as text."""

    event_id: str
    time_ms: int
    event: Event
    facts: RequestFacts


@dataclass(frozen=True, kw_only=True)
class KeptEvent:
    """An event as it is read back: words, since a newer release may have written kinds that this one does not know."""

    event_id: str
    time_ms: int
    kind: str
    outcome: str
    user_id: UserId | None
    session_id: SessionId | None
    actor: str | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    alarming: bool


@dataclass(kw_only=True)
class EventIds:
    """Ids of 35 characters: milliseconds, a sequence within the millisecond, chance.

    Of one process they sort as they were given out while its clock does not go back; of several, by their clocks.
    """

    clock: Clock
    entropy: Entropy
    _last_ms: int = -1
    _sequence: int = 0

    def next(self) -> tuple[str, int]:
        """A new id and its time in milliseconds."""
        now_ms = self.clock.now_ms()
        self._sequence = self._sequence + 1 if now_ms == self._last_ms else 0
        self._last_ms = now_ms
        return f"{now_ms:013d}#{self._sequence:04x}#{self.entropy.token_bytes(_RANDOM_BYTES).hex()}", now_ms


def actor_text(event: Event) -> str | None:
    """Who did it where that was not the user: an account's id, ``operator`` or ``service``."""
    if event.actor is None:
        return None
    return event.actor.value if isinstance(event.actor, Agent) else id_text(event.actor)
