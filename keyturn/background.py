"""One job in one daemon thread: run when it is asked for and when it is due, never twice at once.

Threads serve event loops as well as plain code: a loop waits for the run's future and is never held up by handshakes,
parsing or a second loop. The thread starts at the first run, so a process that forks after it was configured (gunicorn)
has one of its own; what a fork copied is laid aside. It keeps nobody alive: it ends when its owner is gone.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DONE: Future[None] = Future()
"""A run that has ended."""
DONE.set_result(None)
_LIVE: weakref.WeakSet[Background] = weakref.WeakSet()


class Background:
    """Runs ``job``, a bound method that answers after how many seconds it is due again.

    A run that takes longer than ``overdue_seconds`` is given up on: the next one gets a thread of its own, and ``job``
    must look at ``is_current`` before it keeps what it found. ``lock`` is free to use for what the job shares with
    others; it is a new one after a fork.
    """

    def __init__(self, job: Callable[[], float], *, name: str, overdue_seconds: float) -> None:
        self._job = weakref.WeakMethod(job)
        self._name = name
        self._overdue_seconds = overdue_seconds
        self._closed = False
        self._farewell: weakref.finalize[[threading.Condition], Background] | None = None
        self._begin_anew()
        _LIVE.add(self)

    def _begin_anew(self) -> None:
        self.lock = threading.Condition(threading.RLock())
        self._run: Future[None] | None = None
        self._run_began = 0.0
        self._due: float | None = None
        self._thread: threading.Thread | None = None
        # The thread does not hold its owner; this tells it that there is none any more. The lock of before a fork may
        # be held by a thread that is not there, for ever.
        if self._farewell is not None:
            self._farewell.detach()
        self._farewell = weakref.finalize(self, _wake, self.lock)
        self._farewell.atexit = False

    @property
    def is_running(self) -> bool:
        """Whether a run is under way, or about to begin."""
        return self._run is not None

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is the one that runs the job now, and not one that was given up on."""
        return self._thread is threading.current_thread()

    def run(self) -> Future[None] | None:
        """The run under way, or else one that begins now; None after ``close``. It resolves to None."""
        with self.lock:
            if self._closed:
                return None
            if self._run is not None and time.monotonic() - self._run_began > self._overdue_seconds:
                self._give_up()
            if self._run is None:
                self._start()
            return self._run

    def close(self) -> None:
        """End the thread after the run that is under way; nothing runs any more. Who waits is woken."""
        with self.lock:
            self._closed = True
            self._give_up()

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            # It waits for the lock, which we hold; where no thread can be had, nothing has begun.
            thread = threading.Thread(target=_work, args=(weakref.ref(self), self.lock), name=self._name, daemon=True)
            thread.start()
            self._thread = thread
        self._run = Future()
        # So that no waiter who goes away cancels it for the others.
        self._run.set_running_or_notify_cancel()
        self._run_began = time.monotonic()
        self.lock.notify_all()

    def _give_up(self) -> None:
        self._thread, self._due = None, None
        self._finish()
        self.lock.notify_all()

    def _finish(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.set_result(None)

    def _pause(self) -> float:
        """How long the thread has nothing to do; a run that is due begins."""
        if self._run is None:
            left = 0 if self._due is None else self._due - time.monotonic()
            if left > 0:
                return left
            self._start()
        return 0

    def _do(self) -> None:
        job = self._job()
        due_in: float | None = None
        try:
            due_in = job() if job is not None else None
        finally:
            with self.lock:
                if self.is_current:
                    self._due = None if due_in is None else time.monotonic() + due_in
                    if due_in is None:
                        self._thread = None
                    self._finish()


def _work(reference: weakref.ref[Background], lock: threading.Condition) -> None:
    while True:
        with lock:
            background = reference()
            if background is None or not background.is_current:
                return
            pause = background._pause()  # noqa: SLF001 - the other half of the class, which must not hold it
            if pause > 0:
                # Nothing of ours may keep the owner alive meanwhile.
                del background
                lock.wait(pause)
                continue
        background._do()  # noqa: SLF001
        del background


def _wake(lock: threading.Condition) -> None:
    with lock:
        lock.notify_all()


def _after_fork() -> None:
    for background in list(_LIVE):
        background._begin_anew()  # noqa: SLF001 - threads do not survive a fork, and a lock may have been held


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
