"""Runs one engine on behalf of a parent, and never longer than that parent: ``supervise.py ORDER``.

The parent holds the write end of a pipe, the lifeline. When it lets go, on purpose or because it was killed,
the kernel closes the pipe, and the engine is asked to stop with SIGTERM so that it can save its state, then killed.
When the supervisor itself is killed, Linux sends SIGTERM to the engine (PR_SET_PDEATHSIG); elsewhere
the engine lives until the parent stops or finds it. The standard library alone, so that it starts quickly.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_KILLED_BY_SIGNAL = 128
_PARENT_IS_GONE = 75


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run. ``lifeline_fd`` and ``lock_fd`` are inherited; the lock is handed on to the engine."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    lifeline_fd: int
    lock_fd: int | None
    grace_seconds: float


def supervise(order: Order) -> int:
    """Run the engine until it ends or the lifeline is let go; answer its exit status as a shell would."""
    wake = _wake_on_signals()
    engine = _start(order)
    poll = select.poll()
    poll.register(order.lifeline_fd, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while engine.poll() is None:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if order.lifeline_fd in ready or signal.SIGTERM in _signals_from(wake):
            _stop(engine, order.grace_seconds)
    return _KILLED_BY_SIGNAL - engine.returncode if engine.returncode < 0 else engine.returncode


def _start(order: Order) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the order comes from the parent that started us
        order.argv,
        env=order.env,
        cwd=order.cwd,
        stdin=subprocess.DEVNULL,
        pass_fds=() if order.lock_fd is None else (order.lock_fd,),
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
    )


def _stop(engine: subprocess.Popen[bytes], grace_seconds: float) -> None:
    engine.terminate()
    try:
        engine.wait(timeout=grace_seconds)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"the engine did not stop within {grace_seconds:g} seconds and was killed\n")
        engine.kill()
        engine.wait()


def _die_with(supervisor_pid: int) -> Callable[[], None] | None:
    """On Linux, what the engine's process does before it becomes the engine; loaded before the fork."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_the_kernel() -> None:
        if prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0 or os.getppid() != supervisor_pid:
            os._exit(_PARENT_IS_GONE)

    return ask_the_kernel


def _wake_on_signals() -> socket.socket:
    """A socket that becomes readable on a signal. SIGINT and SIGHUP are for the terminal's processes, not for us."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reader


def _signals_from(wake: socket.socket) -> bytes:
    try:
        return wake.recv(64)
    except BlockingIOError:
        return b""


if __name__ == "__main__":
    sys.exit(supervise(Order(**json.loads(sys.argv[1]))))
