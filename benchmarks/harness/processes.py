"""Servers under measurement: one core for the server, the other for the load and the database; CPU time from /proc."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from contextlib import AbstractContextManager

SERVER_CORE, LOAD_CORE = 0, 1
STOP_SECONDS = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_Served = TypeVar("_Served")


@dataclass(frozen=True, kw_only=True)
class Program:
    """How a server is started. ``ready`` is a path that answers once it serves."""

    name: str
    command: tuple[str, ...]
    folder: Path
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/"
    start_seconds: float = 120


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that answers; ``started_seconds`` is how long that took."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    started_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time of the process and all its children so far, in the kernel's ticks."""
        return sum(_ticks(member.pid) for member in self._members()) / _TICKS

    def memory_bytes(self) -> int:
        """Memory that the processes do not share with others."""
        return sum(member.memory_full_info().uss for member in self._members())

    def resident_bytes(self) -> int:
        """Memory in use, with what is shared; what the processes share among them counts in each."""
        return sum(member.memory_info().rss for member in self._members())

    def _members(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


def pin_load() -> None:
    """Keep this process, and the engines that it starts, on the load's core."""
    os.sched_setaffinity(0, {LOAD_CORE} if len(os.sched_getaffinity(0)) > 1 else os.sched_getaffinity(0))


def pin_to_server_core() -> None:
    """Keep the calling thread, and no other, on the core that servers have: for what is compared with them."""
    os.sched_setaffinity(0, {SERVER_CORE})


@contextmanager
def run(program: Program, log: Path) -> Iterator[Running]:
    """The server on its own core, as long as the block runs. Raises SystemExit with its log if it does not answer."""
    url = f"http://127.0.0.1:{program.port}"
    begun = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            program.command,
            cwd=program.folder,
            env={**_environ(), **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # At once, so that what it starts inherits it.
    os.sched_setaffinity(process.pid, {SERVER_CORE})
    try:
        _wait(url + program.ready, process, log, seconds=program.start_seconds)
        yield Running(name=program.name, url=url, process=process, started_seconds=time.monotonic() - begun)
    finally:
        _stop(process)


@asynccontextmanager
async def unblocked(server: AbstractContextManager[_Served]) -> AsyncIterator[_Served]:
    """A server that is awaited beside the event loop, for one that calls something which this loop serves."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, server)
        await asyncio.to_thread(stack.close)


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environ() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("KEYTURN_")}


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=2):
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{url} does not answer:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()
