"""``keyturn serve`` on an embedded engine, as in production but for its mails, and what can be read of its process."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import psutil

from benchmarks.harness.processes import free_port
from service.engines.process import EngineProcess
from service.engines.registry import choose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from loadtests.soak.judge import Point

START_SECONDS, STOP_SECONDS = 60, 40
_TOOLS = Path(sys.executable).parent
_SAMPLE = re.compile(r"^(keyturn_\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)
_BAD_LINE = re.compile(r"^\S+ \S+ \[(?:error|critical)|^Traceback|was never retrieved|was destroyed", re.MULTILINE)


@dataclass
class Served:
    """A running service. ``readings`` by the names of ``judge.ALLOWANCES``."""

    url: str
    metrics_url: str
    mail: Path
    log: Path
    process: subprocess.Popen[bytes]
    readings: dict[str, list[Point]] = field(default_factory=dict)

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with its labels."""
        with urlopen(self.metrics_url, timeout=30) as answer:
            text = answer.read().decode()
        return {name + labels: float(value) for name, labels, value in _SAMPLE.findall(text)}

    def read(self, seconds: float) -> None:
        """Note what the process has, ``seconds`` after the load began."""
        its = psutil.Process(self.process.pid)
        found = {
            "memory": its.memory_info().rss,
            "open files": its.num_fds(),
            "threads": its.num_threads(),
            "tasks": self.metrics().get("keyturn_event_loop_tasks", 0),
        }
        for name, value in found.items():
            self.readings.setdefault(name, []).append((seconds, float(value)))

    def bad_lines(self) -> list[str]:
        """Lines of the log that no good run has."""
        text = self.log.read_text(errors="replace")
        return [line for line in text.splitlines() if _BAD_LINE.search(line)]

    def stall_lines(self) -> list[str]:
        """What the log says of stalls."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if "event_loop_stalled" in line]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    """One worker, for as long as the block runs. Raises SystemExit with its log when it does not start or end well."""
    port, management, mail, log = free_port(), free_port(), folder / "mail", folder / "service.log"
    async with EngineProcess(choose("auto"), data_dir=folder / "data") as engine:
        command = [str(_TOOLS / "keyturn"), "serve", "--migrate", "--port", str(port)]
        environ = _environ(engine.endpoint_url, port=port, management=management, mail=mail)
        process = _start(command, environ, log)
        one = Served(
            url=f"http://127.0.0.1:{port}",
            metrics_url=f"http://127.0.0.1:{management}/metrics",
            mail=mail,
            log=log,
            process=process,
        )
        try:
            _wait(one)
            yield one
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            status = process.wait(STOP_SECONDS)
        if status not in {0, -signal.SIGTERM}:
            raise SystemExit(f"the service ended with status {status}:\n{log.read_text()[-3000:]}")


def _start(command: list[str], environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def _wait(one: Served) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and one.process.poll() is None:
        try:
            with urlopen(f"{one.url}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"the service did not start:\n{one.log.read_text()[-3000:]}")


def _environ(engine_url: str, *, port: int, management: int, mail: Path) -> dict[str, str]:
    """Production's settings; ``dev`` only since there mails may go to files and the issuer may be plain HTTP."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "KEYTURN_"))}

    def key() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    return {
        **own,
        "AWS_ENDPOINT_URL_DYNAMODB": engine_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "soak",
        "AWS_SECRET_ACCESS_KEY": "soak",
        "AWS_EC2_METADATA_DISABLED": "true",
        "KEYTURN_ENV": "dev",
        "KEYTURN_ISSUER": f"http://127.0.0.1:{port}",
        "KEYTURN_REFRESH_KEYS": f"1:{key()}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{key()}",
        "KEYTURN_IDENTITY_KEY": key(),
        "KEYTURN_BREACH_LIST": "offline",
        "KEYTURN_MAIL_URL": f"maildir:{mail}",
        "KEYTURN_TRUSTED_PROXIES": "1",
        "KEYTURN_MANAGEMENT_PORT": str(management),
    }
