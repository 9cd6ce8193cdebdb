"""Clients in other languages: each is made once a session from pinned sources, and says why where it cannot be."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Offline first: a copy in npm's own cache is enough, and what is not there is fetched once.
NPM_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
NIMBUS = "com/nimbusds/nimbus-jose-jwt/10.10/nimbus-jose-jwt-10.10.jar"
NIMBUS_SHA256 = "0edd2fbaab79e13f87d145d021f85a5c59956b2b6b5e761c0d664c87f94cda15"
BUILD_SECONDS = 110

_AWAY = re.compile(
    r"E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH)|no such host|dial tcp|i/o timeout|TLS handshake"
    r"|connection (refused|reset)|Could not transfer|Unknown host|Connection timed out|module lookup disabled",
    re.IGNORECASE,
)
_TOO_OLD = re.compile(r"go\.mod requires go >=|UnsupportedClassVersion|invalid go version")


def tool(name):
    """The path of a tool of the machine; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def make(command, folder, **environ):
    """Runs a step that fetches or builds; a registry that is away is a reason to skip, anything else to fail."""
    import os

    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{Path(command[0]).name} took longer than {BUILD_SECONDS} seconds")
    said = done.stdout + done.stderr
    if done.returncode and (away := _AWAY.search(said) or _TOO_OLD.search(said)):
        pytest.skip(f"{Path(command[0]).name} cannot make the client: {away[0]}")
    assert done.returncode == 0, said


def node(folder):
    """The command that runs the client in Node; the libraries come from the lock."""
    node, npm = tool("node"), tool("npm")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(HERE / "node" / name, folder / name)
    make([npm, *NPM_INSTALL], folder)
    return [node, str(folder / "verify.mjs")]


def go(folder):
    """The command of the client in Go; modules are those of go.sum, and both caches are Go's own."""
    for name in ("go.mod", "go.sum", "main.go"):
        shutil.copy(HERE / "go" / name, folder / name)
    make([tool("go"), "build", "-o", "verify", "."], folder, GOFLAGS="-mod=readonly", GOTOOLCHAIN="local", GOWORK="off")
    return [str(folder / "verify")]


def java(folder):
    """The command that runs the client in Java from its source, on a jar of this digest."""
    java, jar = tool("java"), Path.home() / ".m2/repository" / NIMBUS
    if not jar.exists():
        shutil.copy(HERE / "java/pom.xml", folder / "pom.xml")
        out = folder / "lib"
        make(
            [tool("mvn"), "--batch-mode", "--quiet", "dependency:copy-dependencies", f"-DoutputDirectory={out}"], folder
        )
        jar = out / jar.name
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == NIMBUS_SHA256
    return [java, "-XX:TieredStopAtLevel=1", "-cp", str(jar), str(HERE / "java/Verify.java")]


def ask(command, question):
    """What a client answers, one for each token."""
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
