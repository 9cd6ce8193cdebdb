"""What the kernel says of this process's threads: how long they were on a core, and how long they waited for one.

From ``/proc/self/task/ID/schedstat``, whose files are kept open, since reading one is a few microseconds and opening it
is not. Without that file, as on other systems, everything is zero.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass

_BYTES = 64


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds since the reading before: on a core, waiting for one, and the longest that another thread waited."""

    running: float = 0.0
    waiting: float = 0.0
    others_waiting: float = 0.0


@dataclass(kw_only=True)
class _Account:
    file: int
    running: int = 0
    waiting: int = 0

    def advance(self) -> tuple[int, int]:
        """Nanoseconds on a core, and waiting for one, since the last time. Raises OSError when the thread has ended."""
        running, waiting, _ = map(int, os.pread(self.file, _BYTES, 0).split())
        found = running - self.running, waiting - self.waiting
        self.running, self.waiting = running, waiting
        return found


class ThreadLedger:
    """The accounts as the thread sees them that made it, and that alone reads them."""

    def __init__(self) -> None:
        self._own = threading.get_native_id()
        self._accounts: dict[int, _Account] = {}

    def since_last(self) -> Spent:
        """What was spent since it was called before, of threads that are new since they began; zero the first time."""
        is_first = not self._accounts
        self._open_new()
        running, waiting, others_waiting = 0, 0, 0
        for thread, account in list(self._accounts.items()):
            try:
                found = account.advance()
            except OSError:
                self._drop(thread)
                continue
            if thread == self._own:
                running, waiting = found
            else:
                others_waiting = max(others_waiting, found[1])
        if is_first:
            return Spent()
        return Spent(running=running / 1e9, waiting=waiting / 1e9, others_waiting=others_waiting / 1e9)

    def close(self) -> None:
        """Close the files; once or more often."""
        for thread in list(self._accounts):
            self._drop(thread)

    def _open_new(self) -> None:
        for one in threading.enumerate():
            thread = one.native_id
            if thread is None or thread in self._accounts:
                continue
            with contextlib.suppress(OSError):
                file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
                self._accounts[thread] = _Account(file=file)

    def _drop(self, thread: int) -> None:
        os.close(self._accounts.pop(thread).file)
