"""What happens around a door: who calls from where, and what the service has looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.users.repo import UserRepo

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.clock import ManualClock
    from tests.support.mailbox import Mailbox


@dataclass
class Scene:
    client: httpx.AsyncClient
    mailbox: Mailbox
    clock: ManualClock
    networks: Callable[[], str]

    def move(self, to: str | None = None) -> str:
        """From now on requests come from ``to``, a new network if it is not said; answers it."""
        address = to or self.networks()
        self.client.headers["X-Forwarded-For"] = address
        return address

    def hashes(self) -> int:
        """Passwords hashed since the service began."""
        return int(self._metrics().registry.get_sample_value("keyturn_hash_seconds_count") or 0)

    def calls(self, *tables: str) -> int:
        """Calls of the store that touched ``tables``; all of them if none is named."""
        samples = next(iter(self._metrics().store_seconds.collect())).samples
        counts = [one for one in samples if one.name.endswith("_count")]
        return int(sum(one.value for one in counts if not tables or one.labels["table"] in tables))

    def throttled(self, lane: str) -> int:
        """How often an operator was told that ``lane`` is limited."""
        return int(self._metrics().registry.get_sample_value("keyturn_throttled_total", {"lane": lane}) or 0)

    def sample(self, name: str, **labels: str) -> int:
        """What a metric says."""
        return int(self._metrics().registry.get_sample_value(name, labels) or 0)

    def _metrics(self):
        return self.client.app.state.services.get(UserRepo).dynamo.meter
