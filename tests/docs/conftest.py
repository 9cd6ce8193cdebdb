"""The service as a reader of the documents runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.docs.markdown import ROOT
from tests.docs.wheels import run

COMMAND = Path(sys.executable).with_name("keyturn")
_OFFLINE = re.compile(r"dns error|error sending request|failed to fetch|could not connect", re.IGNORECASE)
_READY = re.compile(r"Keyturn is ready at (\S+)")


@pytest.fixture(scope="session")
def plain_environ(_aws_of_nobody):
    """The environment without a word for AWS or Keyturn, so that the command starts an engine of its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "KEYTURN_")) or name == "KEYTURN_ENGINES_DIR"
    }


@pytest.fixture(scope="module")
def dev_url(tmp_path_factory, plain_environ):
    """The base URL of a ``keyturn dev`` on a free port."""
    folder = tmp_path_factory.mktemp("dev")
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [COMMAND, "dev", "--port", "0", "--data", folder / "data"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=plain_environ,
            cwd=folder,
        )
    try:
        yield _wait(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


@pytest.fixture(scope="module")
def tokens(dev_url):
    """The tokens of somebody who has signed up and in."""
    with httpx.Client(base_url=dev_url, headers={"Accept": "application/json"}, timeout=10) as client:
        who = {"email": "reader@example.com", "password": "correct horse battery staple"}
        assert client.post("/v1/register", json=who).status_code == 202
        assert client.post("/v1/email/verify", json={"token": _mailed_token(client)}).status_code == 204
        answer = client.post("/v1/login", json={"identifier": who["email"], "password": who["password"]})
    assert answer.status_code == 200
    return answer.json()


def _wait(process, log, *, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if ready := _READY.search(log.read_text()):
            return ready[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text()[-2000:])


def _mailed_token(client):
    for _ in range(200):
        mails = [mail for mail in client.get("/dev/mail").json()["mails"] if mail["to"] == "reader@example.com"]
        if mails:
            return client.get(f"/dev/mail/{mails[0]['name']}").json()["links"][0].split("token=")[1]
        time.sleep(0.05)
    raise AssertionError("no mail came")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    output, status = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert status == 0, output
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def installed(wheel, tmp_path, plain_environ):
    """Installs the wheel with the given arguments of pip into an environment of its own; answers its ``bin``."""

    def install(*arguments):
        python = tmp_path / "env/bin/python"
        pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python)
        for command in (
            (sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"),
            (*pip, *arguments),
            (*pip, "--no-deps", wheel),
        ):
            output, status = run(*command, env=plain_environ, cwd=tmp_path)
            if status and _OFFLINE.search(output):
                pytest.skip("uv cannot reach the package registry, and its cache does not hold the packages")
            assert status == 0, output
        return python.parent

    return install
