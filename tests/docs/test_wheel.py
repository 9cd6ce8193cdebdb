"""The wheel and what it declares are all that an installation needs: of the service, and of the guard library alone."""

from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.docs.markdown import ROOT
from tests.docs.wheels import run

KEY = base64.b64encode(bytes(range(32))).decode()


def test_the_wheel_holds_every_source_template_and_migration(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        str(path.relative_to(ROOT))
        for package in ("keyturn", "service")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    migrations = {f"service/migrate/migrations/{path.name}" for path in ROOT.glob("alembic-free-migrations/*.py")}
    assert {"keyturn/py.typed", "service/engines/LoopbackDynamoDb.java"} <= sources
    assert migrations
    assert sources | migrations <= held
    assert not {name for name in held if name.startswith(("tests/", "docs/"))}


def prod(environ):
    """Settings as in production, on the loopback engine."""
    return environ | {
        "KEYTURN_ENV": "prod",
        "KEYTURN_ISSUER": "https://auth.example.com",
        "KEYTURN_MAIL_URL": "smtp://user:password@smtp.example.com:587",
        "KEYTURN_MAIL_FROM": "no-reply@example.com",
        "KEYTURN_ARGON2_MEMORY_KIB": "19456",
        "KEYTURN_ARGON2_TIME_COST": "2",
        "KEYTURN_THROTTLE": "on",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{base64.b64encode(bytes(range(32, 64))).decode()}",
        "KEYTURN_IDENTITY_KEY": base64.b64encode(bytes(range(64, 96))).decode(),
        "KEYTURN_MANAGEMENT_PORT": str(free_port()),
    }


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_service_runs_from_the_wheel_and_its_locked_requirements_alone(
    installed, engine_url, environ, plain_environ, tmp_path
):
    tools = installed("--no-deps", "--require-hashes", "-r", ROOT / "requirements/service.txt")
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    env = plain_environ | aws | prod(environ)

    assert run(tools / "keyturn", "--help", env=env, cwd=tmp_path)[1] == 0
    pending = "".join(f"pending  {path.stem}\n" for path in sorted(ROOT.glob("alembic-free-migrations/*.py")))
    assert run(tools / "keyturn", "migrate", "status", env=env, cwd=tmp_path) == (pending, 1)
    output, status = run(tools / "keyturn", "openapi", env=env, cwd=tmp_path)
    assert status == 0, output
    assert output == (ROOT / "openapi.yaml").read_text("utf-8")

    port, log = free_port(), tmp_path / "log"
    command = [tools / "keyturn", "serve", "--port", str(port), "--migrate"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=out, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            assert _is_alive(client, server), log.read_text()[-2000:]
            assert client.get("/readyz").json() == {"status": "ready"}
            assert client.get("/.well-known/jwks.json").json()["keys"][0]["alg"] == "ES256"
            assert client.get("/openapi.json").status_code == 404
            assert client.get("/dev/mail").status_code == 404
        output, status = run(tools / "keyturn", "migrate", "status", env=env, cwd=tmp_path)
        assert (status, "pending" in output) == (0, False)
    finally:
        server.terminate()
        # uvicorn raises the signal again once it has finished what was under way.
        assert server.wait(timeout=40) in {0, -signal.SIGTERM}
    assert "Traceback" not in log.read_text()


def _is_alive(client, server, *, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            return client.get("/healthz").status_code == 200
        except httpx.TransportError:
            time.sleep(0.1)
    return False


GUARDED = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

for absent in ("service", "fastapi", "flask", "django", "pytest"):
    sys.modules[absent] = None

from keyturn import TokenError, Verifier
from keyturn.testing.issuer import OfflineIssuer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        document = issuer.jwks() if self.path == "/keys" else {"issuer": address, "jwks_uri": f"{address}/keys"}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
issuer = OfflineIssuer(issuer=address, audience="notes")
with Verifier(address, "notes") as guard:
    print(guard.verify(issuer.token_for("user")).subject)
    try:
        guard.verify(issuer.forged())
    except TokenError as refusal:
        print(refusal.code)
"""

TESTS_OF_A_USER = """
import asyncio
import pytest
from keyturn import TokenError

def test_plain(keyturn_issuer):
    token = keyturn_issuer.token_for("user", scopes=["notes:read"])
    assert keyturn_issuer.verifier().verify(token).has_scope("notes:read")

def test_in_a_loop(keyturn_issuer):
    with pytest.raises(TokenError):
        asyncio.run(keyturn_issuer.verifier().verify_async(keyturn_issuer.expired()))
"""


@pytest.fixture
def guard_alone(installed, plain_environ, tmp_path):
    """The wheel and the guard's locked requirements; answers a function that runs a tool of that environment."""
    tools = installed("--no-deps", "--require-hashes", "-r", ROOT / "requirements/guard.txt")
    env = {name: value for name, value in plain_environ.items() if name != "PYTHONPATH"}

    def call(tool, *arguments):
        return run(tools / tool, *arguments, env=env, cwd=tmp_path)

    return call


NEEDS_MORE = {
    "keyturn.django": {"asgiref", "django", "rest_framework"},
    "keyturn.fastapi": {"fastapi"},
    "keyturn.flask": {"flask"},
    "keyturn.starlette": {"starlette"},
    "keyturn.testing.plugin": {"pytest"},
    "keyturn.websession.client": {"boto3"},
    "keyturn.websession.django": {"django"},
    "keyturn.websession.flask": {"flask"},
}
"""The modules that need more than the library alone brings, and what they may miss."""
IMPORTS = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        print(name, error.name.partition(".")[0])
"""


def modules_of_the_wheel(wheel):
    """Each module of the library by its dotted name."""
    paths = [Path(name) for name in zipfile.ZipFile(wheel).namelist() if re.fullmatch(r"keyturn/.+\.py", name)]
    return sorted({".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths})


def test_the_guard_library_needs_three_packages_and_says_that_the_service_is_missing(guard_alone, wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = [re.split(r"[<>=\[ ]", requirement)[0] for requirement in project["dependencies"]]
    assert sorted(names) == ["cryptography", "httpx", "pyjwt"]
    modules = modules_of_the_wheel(wheel)
    assert {"keyturn.django", "keyturn.websession.flows", "keyturn.testing.plugin"} < set(modules)
    output, status = guard_alone("python", "-c", IMPORTS, *modules)
    assert status == 0, output
    missed = {}
    for line in output.splitlines():
        module, stranger = line.split()
        (part,) = [name for name in NEEDS_MORE if re.match(rf"{re.escape(name)}(_\w+|\.|$)", module)]
        missed.setdefault(part, set()).add(stranger)
    assert missed == NEEDS_MORE
    assert guard_alone("python", "-c", GUARDED) == ("user\nbad_signature\n", 0)
    output, status = guard_alone("keyturn", "dev")
    assert (status, output.count("\n")) == (2, 1)
    assert "pip install 'keyturn[service]'" in output


def test_the_pytest_plugin_is_there_once_the_library_is_installed(guard_alone, plain_environ, tmp_path):
    pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", tmp_path / "env/bin/python")
    output, status = run(*pip, "pytest", "-c", ROOT / "requirements/dev.txt", env=plain_environ, cwd=tmp_path)
    assert status == 0, output
    (tmp_path / "test_user.py").write_text(TESTS_OF_A_USER)
    output, status = guard_alone("python", "-m", "pytest", "-q", "-W", "error", "test_user.py")
    assert status == 0, output
    assert "2 passed" in output
