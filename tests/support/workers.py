"""Worker processes of the service, each on a port of its own, so that one of them can be killed alone.

They are forked from a process that has imported the service once, so a new one answers in a fraction of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

from tests.support.counting import uncounted_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

_READY_SECONDS = 30
_STOP_SECONDS = 10
_FROM_HERE = ("AWS_", "PATH", "KEYTURN_ENGINES_DIR")
QUICK = {"KEYTURN_THROTTLE": "off", "KEYTURN_ANSWER_BEAT_MS": "0", "KEYTURN_LOG_LEVEL": "warning"}
"""Neither limits nor beats, which tests/throttle, tests/doors and tests/timing turn on."""
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["service.workers", "service.app", "service.cli.server", "tests.support.warm"])


@dataclass(frozen=True)
class Worker:
    """A process that serves at ``url``."""

    url: str
    metrics_url: str
    process: ForkServerProcess

    def kill(self) -> None:
        """End it as the kernel ends a process that ran out of memory: at once, between any two instructions."""
        self.process.kill()
        self.process.join()

    async def count(self, metric: str) -> int:
        """The value of one of its metrics that has no labels, 0 where it does not say."""
        async with httpx.AsyncClient(trust_env=False, timeout=_READY_SECONDS) as client:
            text = (await client.get(self.metrics_url)).text
        found = re.search(rf"^{metric} ([0-9.e+]+)$", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def stop(self) -> None:
        """Ask it to finish what is under way and to end; kill it when it does not."""
        self.process.terminate()
        self.process.join(_STOP_SECONDS)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError("a worker did not stop when it was asked to")


class Workers:
    """Every worker of a test: ``with Workers(environ, folder) as workers``. None outlives it, nor the test process."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if name.startswith(_FROM_HERE)}
        self.environ = inherited | QUICK | dict(environ)
        self.log_path = folder / "workers.log"
        self._processes: list[ForkServerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
            process.close()

    def run(self, work: Callable[..., None], *arguments: object) -> ForkServerProcess:
        """A process of the same kind that does ``work(*arguments)`` in the workers' environment."""
        process = _context.Process(target=_child, args=(self.environ, str(self.log_path), work, *arguments))
        self._processes.append(process)
        with uncounted_processes():
            process.start()
        return process

    async def start(self, **changes: str) -> Worker:
        """One more worker, which answers; ``changes`` are variables of its own."""
        reader, writer = _context.Pipe(duplex=False)
        with reader, writer:
            process = self.run(_serve, changes, writer)
            while not reader.poll(0.01):
                assert process.is_alive(), self.log()
            url, metrics_url = (f"http://127.0.0.1:{port}" for port in reader.recv())
        async with httpx.AsyncClient(trust_env=False, timeout=_READY_SECONDS) as client:
            # The socket listens already: the answer comes when the application has started.
            try:
                answer = await client.get(f"{url}/readyz")
            except httpx.TransportError as error:
                raise AssertionError(self.log()) from error
            assert answer.status_code == 200, self.log()
        return Worker(url, f"{metrics_url}/metrics", process)

    def log(self) -> str:
        """What the workers have printed."""
        return self.log_path.read_text() if self.log_path.exists() else ""


def _child(environ: Mapping[str, str], log_path: str, work: Callable[..., None], *arguments: object) -> None:
    os.environ.clear()
    os.environ.update(environ)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    work(*arguments)


def _serve(changes: Mapping[str, str], announce: Connection) -> None:
    import uvicorn
    from prometheus_client import start_http_server

    from service.cli.server import server_config
    from service.workers import worker_app

    os.environ.update(changes)
    # The server raises the signal again when it is done; this makes an orderly end of it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = worker_app()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    management, _ = start_http_server(0, "127.0.0.1", app.state.registry)
    announce.send((listener.getsockname()[1], management.server_port))
    announce.close()
    config = server_config(app, host="127.0.0.1", port=0)
    uvicorn.Server(config).run(sockets=[listener])
