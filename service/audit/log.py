"""Events as structured log lines and as counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from service.kernel.ids import id_text

if TYPE_CHECKING:
    from service.audit.event import Event
    from service.telemetry.metrics import Metrics

_log = structlog.get_logger("keyturn.audit")


@dataclass(frozen=True, kw_only=True)
class AuditLog:
    """One line an event, at warning level when somebody should look, and one count by kind and outcome."""

    metrics: Metrics

    def record(self, event: Event) -> None:
        """Log and count ``event``."""
        write = _log.warning if event.alarming else _log.info
        write(
            "security_event",
            kind=event.kind.value,
            outcome=event.outcome,
            user_id=None if event.user_id is None else id_text(event.user_id),
            session_id=None if event.session_id is None else id_text(event.session_id),
        )
        self.metrics.events.labels(kind=event.kind.value, outcome=event.outcome).inc()
