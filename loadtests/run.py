"""``make load``: starts ``keyturn dev`` on a free port with data of its own, loads it, and prints a table.

Exit status 1 when any request failed. Nothing is kept: the data folder is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
START_SECONDS, STOP_SECONDS = 90, 40
MAX_PEOPLE, MAX_SECONDS = 500, 600
_READY = re.compile(r"Keyturn is ready at (\S+)")
TITLE = ("", "requests", "failures", "p50 ms", "p95 ms", "p99 ms", "per s")
ROW = "{:<28}{:>10}{:>10}{:>9}{:>9}{:>9}{:>10}"


def main() -> int:
    """The exit status of the run."""
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="keyturn-load-") as name, service(Path(name)) as url:
        say(f"{arguments.people} people for {arguments.seconds} s on {url}")
        rows, status = load(url, Path(name), people=arguments.people, seconds=arguments.seconds)
    for row in [TITLE, *map(row_of, rows), row_of(total_of(rows))]:
        say(ROW.format(*row))
    if not rows:
        say("No request was made.")
    return 0 if rows and status == 0 and not any(row["num_failures"] for row in rows) else 1


def parse() -> argparse.Namespace:
    """How many people, for how long; bounded."""
    parser = argparse.ArgumentParser(description="Load a service of its own on this machine.")
    parser.add_argument("--people", type=int, default=30, choices=range(1, MAX_PEOPLE + 1), metavar="N")
    parser.add_argument("--seconds", type=int, default=30, choices=range(5, MAX_SECONDS + 1), metavar="S")
    return parser.parse_args()


@contextmanager
def service(folder: Path, **variables: str) -> Iterator[str]:
    """The base URL of a ``keyturn dev`` that ends with the block; ``variables`` are settings of it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYTURN_"))}
    if "KEYTURN_ENGINES_DIR" in os.environ:
        own["KEYTURN_ENGINES_DIR"] = os.environ["KEYTURN_ENGINES_DIR"]
    log = folder / "service.log"
    # The log line of each request stays out of the measurement.
    own["KEYTURN_LOG_LEVEL"] = "warning"
    # All people of the load come from one address.
    own["KEYTURN_THROTTLE"] = "off"
    own |= variables
    command: list[str | Path] = [TOOLS / "keyturn", "dev", "--port", "0", "--data", folder / "data"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield wait_for_url(process, log)
        if process.poll() is not None:
            raise SystemExit(f"The service ended by itself:\n{log.read_text()}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=STOP_SECONDS)


def wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the service prints when it answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if found := _READY.search(log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"The service did not start:\n{log.read_text()}")


def load(url: str, folder: Path, *, people: int, seconds: int) -> tuple[list[dict[str, Any]], int]:
    """Locust's statistics by name, and its exit status: 1 when a request failed."""
    command: list[str | Path] = [
        TOOLS / "locust",
        "--locustfile",
        HERE / "locustfile.py",
        "--headless",
        "--json",
        "--host",
        url,
    ]
    command += ["--users", str(people), "--spawn-rate", "10", "--run-time", f"{seconds}s", "--stop-timeout", "25"]
    env = os.environ | {"LOADTEST_MAILDIR": str(folder / "data" / "mail")}
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=seconds + 90
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
    return json.loads(done.stdout or "[]"), done.returncode


def total_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All names as one."""
    times: Counter[str] = Counter()
    for row in rows:
        times.update(row["response_times"])
    return {
        "method": "",
        "name": "all",
        "num_requests": sum(row["num_requests"] for row in rows),
        "num_failures": sum(row["num_failures"] for row in rows),
        "response_times": times,
        "start_time": min((row["start_time"] for row in rows), default=0),
        "last_request_timestamp": max((row["last_request_timestamp"] for row in rows), default=0),
    }


def row_of(row: dict[str, Any]) -> tuple[str, ...]:
    """The columns of one name: requests, failures, milliseconds, requests a second."""
    seconds = max(row["last_request_timestamp"] - row["start_time"], 1)
    percentiles = (percentile(row["response_times"], fraction) for fraction in (0.5, 0.95, 0.99))
    counts = (row["num_requests"], row["num_failures"], *percentiles)
    name = f"{row['method']} {row['name']}".strip()
    return (name, *map(str, counts), f"{row['num_requests'] / seconds:.1f}")


def percentile(times: Mapping[str, int], fraction: float) -> int:
    """Milliseconds within which ``fraction`` of the requests were answered; locust rounds them to two digits."""
    left = fraction * sum(times.values())
    for milliseconds in sorted(times, key=float):
        left -= times[milliseconds]
        if left <= 0:
            return round(float(milliseconds))
    return 0


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
