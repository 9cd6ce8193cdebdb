"""Events as structured log lines and as counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from service.audit.entry import actor_text
from service.audit.event import EventKind
from service.kernel.ids import id_text
from service.telemetry.request_facts import current_facts

if TYPE_CHECKING:
    from service.audit.event import Event
    from service.telemetry.metrics import Metrics


def _bound_logger() -> Any:
    return structlog.get_logger("keyturn.audit").bind()


REUSE = "reuse"
"""The outcome of a refresh whose token had been used before."""


@dataclass(frozen=True, kw_only=True)
class AuditLog:
    """One line an event, at warning level when somebody should look, and the counts that its kind asks for.

    The logger is bound once, and so made after logs were configured: binding it costs as much as the line itself.
    """

    metrics: Metrics
    log: Any = field(default_factory=_bound_logger)

    def record(self, event: Event) -> None:
        """Log and count ``event``."""
        write = self.log.warning if event.alarming else self.log.info
        facts = current_facts()
        write(
            "security_event",
            kind=event.kind.value,
            outcome=event.outcome,
            user_id=None if event.user_id is None else id_text(event.user_id),
            session_id=None if event.session_id is None else id_text(event.session_id),
            actor=actor_text(event),
            address=facts.address,
            user_agent=facts.user_agent,
        )
        self._count(event)

    def _count(self, event: Event) -> None:
        self.metrics.events.labels(kind=event.kind.value, outcome=event.outcome).inc()
        if event.alarming:
            self.metrics.alarms.labels(kind=event.kind.value, outcome=event.outcome).inc()
        match event.kind:
            case EventKind.SIGN_IN:
                self.metrics.sign_ins.labels(outcome=event.outcome).inc()
            case EventKind.REFRESH:
                self.metrics.refreshes.labels(outcome=event.outcome).inc()
                if event.outcome == REUSE:
                    self.metrics.reuses.inc()
            case EventKind.THROTTLE:
                self.metrics.throttled.labels(lane=event.outcome).inc()
            case _:
                return
