"""Threads for hashing: as many as were asked for, a short queue before them, and never in the way of the event loop.

Each slot may hold one hash's memory, so slots times the largest memory of a hash is all that hashing ever takes. The
threads run at a lower priority: a guarded route, a refresh or a health check needs a fraction of a millisecond and
must not wait behind tens of milliseconds of argon2 on the same cores.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from service.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

T = TypeVar("T")

DEFAULT_NICE = 10
LARGEST_NICE = 19
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """The cores that this process may use, or fewer where its container has a quota; a sensible number of slots."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with contextlib.suppress(OSError):
        return min(cores, quota_cores(_CPU_MAX.read_text("ascii")) or cores)
    return cores


def quota_cores(cpu_max: str) -> int | None:
    """The whole cores that a cgroup's ``cpu.max`` grants, at least one: quota by period, both in microseconds.

    None where it sets no quota, or is not of that form.
    """
    match cpu_max.split():
        case [quota, period] if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            return max(1, int(quota) // int(period))
        case _:
            return None


def share_of_cores(processes: int, *, cores: int) -> int:
    """The slots of each of so many processes that hash on the same ``cores``: at least one."""
    return max(1, cores // processes)


class HashingPool:
    """Runs work in at most ``slots`` threads while at most ``queue`` callers wait; belongs to one event loop.

    ``nice``, 0 to 19, is how far the threads stand back from the event loop (docs/adr/0016), on Linux.
    """

    def __init__(self, *, slots: int, queue: int, nice: int = DEFAULT_NICE) -> None:
        if slots < 1 or queue < 0:
            raise ValueError("a hashing pool needs a slot, and a queue that is not negative")
        if not 0 <= nice <= LARGEST_NICE:
            raise ValueError("a hashing pool's nice value is 0 to 19")
        self.slots = slots
        self.queue = queue
        self._free = asyncio.Semaphore(slots)
        self._waiting = 0
        self._closed = False
        self._threads = ThreadPoolExecutor(
            slots, thread_name_prefix="hashing", initializer=_stand_back, initargs=(nice,)
        )

    @property
    def waiting(self) -> int:
        """How many callers wait for a slot."""
        return self._waiting

    async def run(self, work: Callable[[], T], *, on_slot: Callable[[], Awaitable[None]] | None = None) -> T:
        """What ``work`` gives, computed in a thread.

        ``on_slot`` is awaited when a slot was got and before ``work`` begins; what it raises gives the slot back and is
        raised. A caller that is cancelled while it waits leaves the queue; one that is cancelled later leaves its slot
        taken until the thread is done, since a thread cannot be stopped and its memory is still in use.

        Raises Unavailable when the queue is full or the pool is closed.
        """
        await self._take_slot()
        try:
            if on_slot is not None:
                await on_slot()
            running = asyncio.wrap_future(self._submit(work))
        except BaseException:
            self._free.release()
            raise
        running.add_done_callback(lambda _done: self._free.release())
        return await asyncio.shield(running)

    async def close(self) -> None:
        """Let running work finish; whoever waits or comes later gets Unavailable."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if self._closed:
            raise Unavailable("hashing has stopped", retry_after_seconds=1)
        return self._threads.submit(work)

    async def _take_slot(self) -> None:
        if self._free.locked() and self._waiting >= self.queue:
            raise Unavailable("the hashing queue is full", retry_after_seconds=1)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1


def _stand_back(nice: int) -> None:
    """Give way to the event loop. Linux only: elsewhere the call takes a process's id and not a thread's."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # A sandbox may forbid the call; hashing at the usual priority is slower for others and no less safe.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
