"""Every event to the log first, then to the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from service.audit.event import Audit, AuditKeeper, Event

_log = structlog.get_logger("keyturn.audit")


@dataclass(frozen=True, kw_only=True)
class Fanout:
    """The ``AuditKeeper`` of the service. It holds the promise that recording never raises, whatever its parts do."""

    log: Audit
    table: AuditKeeper

    def record(self, event: Event) -> None:
        """Log and count ``event``, and queue it for the table."""
        for part in (self.log, self.table):
            _record(part, event)

    async def keep(self, event: Event) -> bool:
        """Log and count ``event``, and write it to the table before returning."""
        _record(self.log, event)
        try:
            return await self.table.keep(event)
        except Exception as error:  # noqa: BLE001 - what happened has happened: its answer must not become an error
            _failed(event, error)
            return False


def _record(part: Audit, event: Event) -> None:
    try:
        part.record(event)
    except Exception as error:  # noqa: BLE001 - as above; the log says so, and one part does not stop the other
        _failed(event, error)


def _failed(event: Event, error: Exception) -> None:
    _log.error("audit_failed", kind=event.kind.value, outcome=event.outcome, exc_info=error)
