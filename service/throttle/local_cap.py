"""The cap while the store is away: few attempts a minute for each lane and for the process. Never unlimited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.throttle.model import Limited

if TYPE_CHECKING:
    from service.throttle.lanes import Lane

_WINDOW_MS = 60_000


@dataclass(kw_only=True)
class LocalCap:
    """Counts attempts, right ones too. ``total`` a minute bounds the process, and with it the memory of this."""

    total: int = 60
    _start_ms: int = 0
    _taken: int = 0
    _by_lane: dict[str, int] = field(default_factory=dict)

    def take(self, lanes: tuple[Lane, ...], now_ms: int) -> Limited | None:
        """Take one attempt for all of ``lanes``, or none; answers when the next minute begins where one is full."""
        start_ms = now_ms - now_ms % _WINDOW_MS
        if start_ms != self._start_ms:
            self._start_ms, self._taken = start_ms, 0
            self._by_lane.clear()
        is_full = any(self._by_lane.get(lane.key, 0) >= lane.limit.when_away for lane in lanes)
        if is_full or self._taken >= self.total:
            return Limited(until_ms=start_ms + _WINDOW_MS)
        self._taken += 1
        for lane in lanes:
            self._by_lane[lane.key] = self._by_lane.get(lane.key, 0) + 1
        return None
