"""Watches over the event loop: how late it comes to what is due, and whose fault that was.

A timer that is due each INTERVAL_SECONDS measures how much later it is called. What keeps a loop is told apart by the
kernel's account of its thread (``/proc/thread-self/schedstat``): the time that it was on a core is ours, as is the time
that it waited for something, a lock or a disk; the time that it could have run and was given no core is the machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

if TYPE_CHECKING:
    from service.kernel.clock import Clock

Cause = Literal["busy", "blocked", "machine"]

INTERVAL_SECONDS = 0.02
STALL_SECONDS = 0.05
"""What counts as a stall. It begins somewhere in an interval, so it may show as that much less lag, and counts."""
_LAG_OF_A_STALL = STALL_SECONDS - INTERVAL_SECONDS
_TICKS_A_COUNT = 50
_LEDGER = "/proc/thread-self/schedstat"
_LEDGER_BYTES = 64

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
class Spent:
    """What the kernel says of a thread so far: seconds on a core, and seconds that it waited to be given one."""

    running: float = 0.0
    waiting: float = 0.0


class Ledger:
    """The kernel's account of the thread that opened it; all zeros where there is none."""

    def __init__(self) -> None:
        self._file: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._file = os.open(_LEDGER, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> Spent:
        """Up to now."""
        if self._file is None:
            return Spent()
        running, waiting, _ = os.pread(self._file, _LEDGER_BYTES, 0).split()
        return Spent(running=int(running) / 1e9, waiting=int(waiting) / 1e9)

    def close(self) -> None:
        """Once."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass(frozen=True, kw_only=True)
class Late:
    """A tick that came ``lag`` seconds after it was due; ``running`` and ``waiting`` since the tick before it."""

    lag: float
    running: float
    waiting: float

    @property
    def blocked(self) -> float:
        """Neither on a core nor waiting for one, beyond the pause until the tick was due."""
        return max(0.0, self.lag - self.running - self.waiting)

    @property
    def cause(self) -> Cause | None:
        """Whose the stall was; None where there was none. Without the machine's part, would it have been one?"""
        if self.lag < _LAG_OF_A_STALL:
            return None
        if self.lag - self.waiting < _LAG_OF_A_STALL:
            return "machine"
        return "busy" if self.running >= self.blocked else "blocked"


class LoopWatch:
    """Watches over the running loop from ``start`` to ``stop``; a tick costs microseconds."""

    def __init__(self, *, meter: LoopMeter, clock: Clock, ledger: Ledger) -> None:
        self._meter, self._clock, self._ledger = meter, clock, ledger
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._spent = Spent()
        self._ticks = 0

    def start(self) -> None:
        """Begin; inside of the loop's thread, where the ledger was opened too."""
        self._spent = self._ledger.read()
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
        before, self._spent = self._spent, self._ledger.read()
        late = Late(
            lag=max(0.0, self._clock.monotonic_seconds() - self._due),
            running=self._spent.running - before.running,
            waiting=self._spent.waiting - before.waiting,
        )
        self._meter.loop_lagged(late.lag)
        if late.cause is not None:
            self._stalled(late, late.cause)
        if self._ticks % _TICKS_A_COUNT == 0:
            self._meter.loop_tasks(len(asyncio.all_tasks()))
        self._ticks += 1
        self._wait()

    def _stalled(self, late: Late, cause: Cause) -> None:
        self._meter.loop_stalled(cause)
        # What the machine does is no fault of this process, and a busy machine does it often.
        say = _log.info if cause == "machine" else _log.warning
        say(
            "event_loop_stalled",
            cause=cause,
            lag_ms=round(late.lag * 1000),
            running_ms=round(late.running * 1000),
            waiting_for_a_core_ms=round(late.waiting * 1000),
            blocked_ms=round(late.blocked * 1000),
        )
