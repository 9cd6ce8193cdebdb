"""``make examples``: Keyturn on an embedded engine, and the notes service in three frameworks against it.

Everything listens on loopback and ends with this program. Nothing is kept but in the folder of ``--data``.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
TABLE = "example-notes"
START_SECONDS, STOP_SECONDS = 90, 40
PORTS = {"fastapi": 8001, "flask": 8002, "django": 8003}
_READY = re.compile(r"Keyturn is ready at (\S+)")


def main() -> int:
    """Run until interrupted; the exit status."""
    arguments = parse()
    with ExitStack() as stack:
        data = arguments.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-examples-")))
        sites = stack.enter_context(examples(data, port=arguments.port, ports=PORTS))
        issuer = sites.pop("keyturn")
        say(f"Keyturn: {issuer}, mails at {issuer}/dev/mail\n")
        for name, url in sites.items():
            say(f"{name:<8} {url}")
        say(HINT.format(issuer=issuer, url=sites["fastapi"]))
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


HINT = """
Sign up and confirm as the README's curl session shows, or run it against {issuer}. With its ACCESS token:

  curl -H "Authorization: Bearer $ACCESS" -H 'Content-Type: application/json' -d '{{"text": "milk"}}' {url}/notes
  curl -H "Authorization: Bearer $ACCESS" {url}/notes
  curl -i {url}/notes

Ctrl-C ends everything."""


def parse() -> argparse.Namespace:
    """Where Keyturn listens and keeps its data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="Keyturn's port; 0 takes a free one")
    parser.add_argument("--data", type=Path, default=None, help="keep Keyturn's data here")
    return parser.parse_args()


@contextmanager
def examples(data: Path, *, port: int, ports: Mapping[str, int]) -> Iterator[dict[str, str]]:
    """The base URLs by name, of ``keyturn`` and of each of ``ports`` (0 takes a free one), while the block runs."""
    feed_key = base64.b64encode(secrets.token_bytes(32)).decode()
    with ExitStack() as stack:
        issuer = stack.enter_context(keyturn(data, port=port, feed_key=feed_key))
        own = store_variables(data)
        own |= {"NOTES_ISSUER": issuer, "NOTES_AUDIENCE": issuer, "NOTES_FEED_KEY": feed_key, "NOTES_TABLE": TABLE}
        own["NOTES_DJANGO_KEY"] = secrets.token_urlsafe(32)
        environ = {**os.environ, **own, "PYTHONPATH": os.pathsep.join(python_path())}
        leave_variables(data / "notes.env", own)
        create_table(environ)
        sites = {"keyturn": issuer}
        for name, wanted in ports.items():
            site = wanted or free_port()
            stack.enter_context(process(command_of(name, site), environ, HERE / f"{name}_notes", data / f"{name}.log"))
            sites[name] = f"http://127.0.0.1:{site}"
        for name in ports:
            wait_for(f"{sites[name]}/notes", data / f"{name}.log")
        yield sites


@contextmanager
def keyturn(data: Path, *, port: int, feed_key: str) -> Iterator[str]:
    """The base URL of a ``keyturn dev`` that publishes its revocation feed."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "KEYTURN_"))}
    own |= {name: text for name, text in os.environ.items() if name == "KEYTURN_ENGINES_DIR"}
    own["KEYTURN_REVOCATION_FEED_KEYS"] = f"1:{feed_key}"
    data.mkdir(parents=True, exist_ok=True)
    log = data / "keyturn.log"
    command = [str(TOOLS / "keyturn"), "dev", "--port", str(port), "--data", str(data / "keyturn")]
    with process(command, own, data, log) as running:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and running.poll() is None:
            if ready := _READY.search(log.read_text()):
                yield ready[1]
                return
            time.sleep(0.1)
        raise SystemExit(f"Keyturn did not start:\n{log.read_text()}")


def store_variables(data: Path) -> dict[str, str]:
    """AWS's variables for the engine that ``keyturn dev`` has started, from the note that it leaves."""
    lines = (data / "keyturn" / "running.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: text for name, _, text in pairs if name.startswith("AWS_")}


def leave_variables(path: Path, variables: Mapping[str, str]) -> None:
    """For a shell that starts a service by hand: ``. notes.env``. Nobody else may read it."""
    path.touch(mode=0o600)
    path.write_text("".join(f"export {name}={shlex.quote(text)}\n" for name, text in variables.items()))


def create_table(environ: Mapping[str, str]) -> None:
    """The table of notes, unless it is there."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=environ["AWS_ENDPOINT_URL_DYNAMODB"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
    if TABLE in client.list_tables()["TableNames"]:
        return
    keys = (("user_id", "HASH"), ("note_id", "RANGE"))
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": role} for name, role in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    client.get_waiter("table_exists").wait(TableName=TABLE)


def command_of(name: str, port: int) -> list[str]:
    """How a service is started; each server is its framework's own, for development."""
    python, host = sys.executable, "127.0.0.1"
    return {
        "fastapi": [python, "-m", "uvicorn", "app:app", "--host", host, "--port", str(port), "--log-level", "warning"],
        "flask": [python, "-m", "flask", "--app", "app", "run", "--host", host, "--port", str(port)],
        "django": [python, "-m", "django", "runserver", f"{host}:{port}", "--noreload", "--settings", "settings"],
    }[name]


def python_path() -> list[str]:
    """Where the services find what they share, and the guard library where it is not installed."""
    return [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]


@contextmanager
def process(
    command: list[str], environ: Mapping[str, str], folder: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends with the block."""
    with log.open("wb") as out:
        running = subprocess.Popen(
            command, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def wait_for(url: str, log: Path) -> None:
    """Until ``url`` answers anything at all."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError as error:
            if getattr(error, "code", None) is not None:
                return
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer:\n{log.read_text()}")


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
