"""An engine under its supervisor, seen from the process that started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.engines import supervise

if TYPE_CHECKING:
    from service.engines.port import Launch

_TAIL_BYTES = 2000


@dataclass(kw_only=True)
class Child:
    """A running supervisor with its engine, and the lifeline that keeps both alive."""

    supervisor: subprocess.Popen[bytes]
    log_path: Path
    lifeline_fd: int | None

    def exit_code(self) -> int | None:
        """The engine's exit status, or None while it runs."""
        return self.supervisor.poll()

    def let_go(self) -> None:
        """Ask the supervisor to stop the engine; answers at once. The same happens when this process is killed."""
        if self.lifeline_fd is not None:
            os.close(self.lifeline_fd)
            self.lifeline_fd = None
        if self.exit_code() == -signal.SIGKILL:
            # Nobody is left to pass the word on, and not every system has PR_SET_PDEATHSIG.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.supervisor.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the supervisor and the engine now, saved or not: both are in the supervisor's process group."""
        if self.supervisor.returncode is None:
            os.killpg(self.supervisor.pid, signal.SIGKILL)
            self.supervisor.wait()

    def log_tail(self) -> str:
        """The end of what the engine printed."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode(errors="replace").strip() or "(its log is empty)"


def spawn(launch: Launch, *, folder: Path, log_path: Path, lock_fd: int | None, grace_seconds: float) -> Child:
    """Start the engine under a supervisor in a session of its own, where Ctrl-C does not reach it.

    ``folder`` becomes its current and its temporary folder, so that what it leaves behind is in one place.
    ``lock_fd`` is copied to both; the caller closes its own copy.
    """
    lifeline_read, lifeline_write = os.pipe()
    order = supervise.Order(
        argv=launch.argv,
        env={"LANG": "C.UTF-8", "TMPDIR": str(folder), **launch.env},
        cwd=str(folder),
        lifeline_fd=lifeline_read,
        lock_fd=lock_fd,
        grace_seconds=grace_seconds,
    )
    inherited = (lifeline_read,) if lock_fd is None else (lifeline_read, lock_fd)
    try:
        with log_path.open("wb") as log:
            supervisor = subprocess.Popen(  # noqa: S603 - our interpreter, our file, our order
                [sys.executable, "-P", str(Path(supervise.__file__)), json.dumps(asdict(order))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=inherited,
                start_new_session=True,
            )
    except BaseException:
        os.close(lifeline_write)
        raise
    finally:
        os.close(lifeline_read)
    return Child(supervisor=supervisor, log_path=log_path, lifeline_fd=lifeline_write)
