"""Watches over the event loop: how late it comes to what is due, and whose fault that was.

A timer that is due each INTERVAL_SECONDS measures how much later it is called. What kept the loop is told apart by the
kernel's accounts of threads (``service.telemetry.thread_ledger``).
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from service.kernel.clock import SystemClock
from service.telemetry.thread_ledger import ThreadLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.kernel.clock import Clock
    from service.telemetry.thread_ledger import Spent

Cause = Literal["busy", "blocked", "crowded", "machine"]
"""It computed; it waited for a lock or a disk; it waited while another thread of the process, which may have held the
interpreter, was given no core; it was given no core itself. The last two come with a machine that is too small."""

INTERVAL_SECONDS = 0.02
STALL_SECONDS = 0.05
"""What counts as a stall. It begins somewhere in an interval, so it may show as that much less lag, and counts."""
_LAG_OF_A_STALL = STALL_SECONDS - INTERVAL_SECONDS
_TICKS_A_COUNT = 50

_log = structlog.get_logger("keyturn.event_loop")


class LoopMeter(Protocol):
    """Told of every tick."""

    def loop_lagged(self, seconds: float) -> None:
        """A tick came so much after it was due."""
        ...

    def loop_stalled(self, cause: Cause) -> None:
        """That was a stall."""
        ...

    def loop_tasks(self, count: int) -> None:
        """So many tasks have not ended."""
        ...


@dataclass(frozen=True, kw_only=True)
class Late:
    """A tick that came ``lag`` seconds after it was due, and what was spent since the tick before it."""

    lag: float
    spent: Spent

    @property
    def blocked(self) -> float:
        """Neither on a core nor waiting for one, beyond the pause until the tick was due."""
        return max(0.0, self.lag - self.spent.running - self.spent.waiting)

    @property
    def cause(self) -> Cause | None:
        """Whose the stall was; None where there was none."""
        if self.lag < _LAG_OF_A_STALL:
            return None
        if self._comes_of(self.spent.waiting):
            return "machine"
        if self.spent.running >= self.blocked:
            return "busy"
        return "crowded" if self._comes_of(self.spent.waiting + self.spent.others_waiting) else "blocked"

    def _comes_of(self, outside: float) -> bool:
        """Whether it would be none without ``outside``, or what is left of it is smaller and may be none."""
        own = self.lag - outside
        return own < _LAG_OF_A_STALL or own < min(STALL_SECONDS, outside)


class LoopWatch:
    """Watches over the running loop from ``start`` to ``stop``; a tick costs microseconds."""

    def __init__(self, *, meter: LoopMeter, clock: Clock, ledger: ThreadLedger) -> None:
        self._meter, self._clock, self._ledger = meter, clock, ledger
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._ticks = 0

    def start(self) -> None:
        """Begin; inside of the loop's thread, where the ledger was opened too."""
        self._ledger.since_last()
        self._wait()

    def stop(self) -> None:
        """End; nothing is counted after it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ledger.close()

    def _wait(self) -> None:
        self._due = self._clock.monotonic_seconds() + INTERVAL_SECONDS
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._tick)

    def _tick(self) -> None:
        lag = max(0.0, self._clock.monotonic_seconds() - self._due)
        late = Late(lag=lag, spent=self._ledger.since_last())
        self._meter.loop_lagged(late.lag)
        if late.cause is not None:
            self._stalled(late, late.cause)
        if self._ticks % _TICKS_A_COUNT == 0:
            self._meter.loop_tasks(len(asyncio.all_tasks()))
        self._ticks += 1
        self._wait()

    def _stalled(self, late: Late, cause: Cause) -> None:
        self._meter.loop_stalled(cause)
        # What comes of a machine that is too small is no fault of this process, and it comes often.
        say = _log.warning if cause in {"busy", "blocked"} else _log.info
        say(
            "event_loop_stalled",
            cause=cause,
            lag_ms=round(late.lag * 1000),
            running_ms=round(late.spent.running * 1000),
            waiting_for_a_core_ms=round(late.spent.waiting * 1000),
            others_waiting_for_a_core_ms=round(late.spent.others_waiting * 1000),
            blocked_ms=round(late.blocked * 1000),
        )


@contextmanager
def watched_loop(meter: LoopMeter) -> Iterator[None]:
    """Watch over the running loop inside, by the machine's clock: what is measured happens, whatever time flows see."""
    watch = LoopWatch(meter=meter, clock=SystemClock(), ledger=ThreadLedger())
    watch.start()
    try:
        yield
    finally:
        watch.stop()
