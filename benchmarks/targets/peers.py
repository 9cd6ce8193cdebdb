"""The peers, each set up as its own documentation does, with the same argon2id parameters where it hashes."""

from __future__ import annotations

import base64
import itertools
import json
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.harness.install import PEERS, keycloak_folder, node_folder, python_of
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, Running, free_port, run
from benchmarks.harness.wire import Wire
from benchmarks.targets.context import PASSWORD, Context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.harness.measure import Operation

_LANES = 64
"""The most connections of a run: each has a session of its own, so that no two rotate one."""


@contextmanager
def _served(
    context: Context, name: str, command: tuple[str, ...], *, folder: str, port: int, **variables: str
) -> Iterator[Running]:
    program = Program(
        name=name,
        command=command,
        folder=PEERS / folder,
        port=port,
        environ={**variables, "BENCH_PORT": str(port)},
    )
    with run(program, context.folder / f"{folder}.log") as running:
        yield running


async def _register(running: Running, people: int, path: str, body: Any) -> None:
    async with Wire(running.url) as wire:
        for number in range(people):
            answer = await wire.call("POST", path, body(number), headers=f"Origin: {running.url}\r\n")
            if answer.status not in {200, 201}:
                raise SystemExit(f"{running.name}: {path}: {answer.status} {answer.body[:300]!r}")


def _bearer(token: str) -> str:
    return f"Authorization: Bearer {token}\r\n"


@asynccontextmanager
async def fastapi_users(context: Context) -> AsyncIterator[Target]:
    """SQLAlchemy on SQLite, JWT; it has no refresh."""
    port = free_port()
    command = (
        *(python_of("fastapi_users"), "-m", "uvicorn", "app:app", "--port", str(port)),
        *("--log-level", "warning", "--no-access-log"),
    )
    database = f"sqlite+aiosqlite:///{context.folder / 'fastapi_users.sqlite'}"
    with _served(
        context, "fastapi-users", command, folder="fastapi_users", port=port, BENCH_DATABASE=database
    ) as running:
        memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
        await _register(running, context.people, "/register", _by_email)

        async def sign_in(wire: Wire, _number: int) -> None:
            await wire.expect(200, "POST", "/login", form=_form(username=_email(next(somebody)), password=PASSWORD))

        async with Wire(running.url) as wire:
            answer = await wire.expect(200, "POST", "/login", form=_form(username=_email(0), password=PASSWORD))
        token = answer.json()["access_token"]

        async def me(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/me", headers=_bearer(token))

        operations: dict[str, Operation] = {"sign in": sign_in, "who am I, with the user read": me}
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


@asynccontextmanager
async def django_simplejwt(context: Context) -> AsyncIterator[Target]:
    """Rotation and blacklist, on SQLite, under gunicorn with threads."""
    database = str(context.folder / "django.sqlite")
    with _gunicorn(context, "Django + simplejwt", "django_simplejwt", BENCH_DATABASE=database) as running:
        yield await _pair(context, running, by_header=False)


@asynccontextmanager
async def flask_jwt(context: Context) -> AsyncIterator[Target]:
    """flask-jwt-extended and boto3 on the same DynamoDB engine, under gunicorn with threads."""
    with flask_jwt_served(context, tables="bench-flask") as running:
        yield await _pair(context, running, by_header=True)


@contextmanager
def flask_jwt_served(context: Context, *, tables: str) -> Iterator[Running]:
    """The Flask peer alone, on tables of that prefix."""
    variables = {**context.aws, "BENCH_USERS": f"{tables}-users", "BENCH_TOKENS": f"{tables}-tokens"}
    with _gunicorn(context, "Flask + jwt-extended + boto3", "flask_jwt", **variables) as running:
        yield running


@contextmanager
def _gunicorn(context: Context, name: str, folder: str, **variables: str) -> Iterator[Running]:
    port = free_port()
    wsgi = "project:application" if folder == "django_simplejwt" else "project:app"
    command = (
        *(python_of(folder), "-m", "gunicorn", wsgi, "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        *("--threads", "8", "--keep-alive", "60", "--log-level", "warning"),
    )
    with _served(context, name, command, folder=folder, port=port, **variables) as running:
        yield running


async def _pair(context: Context, running: Running, *, by_header: bool) -> Target:
    """A peer with /register, /login, /refresh and /me that answers access and refresh tokens."""
    memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
    await _register(running, context.people, "/register", _by_username)

    async def login(wire: Wire, number: int) -> dict[str, str]:
        answer = await wire.expect(200, "POST", "/login", _by_username(number))
        found: dict[str, str] = answer.json()
        return found

    async with Wire(running.url) as wire:
        tokens = [await login(wire, number % context.people) for number in range(_LANES)]

    async def sign_in(wire: Wire, _number: int) -> None:
        await login(wire, next(somebody))

    async def refresh(wire: Wire, number: int) -> None:
        presented = tokens[number]["refresh"]
        body = None if by_header else {"refresh": presented}
        headers = _bearer(presented) if by_header else ""
        tokens[number] |= (await wire.expect(200, "POST", "/refresh", body, headers=headers)).json()

    async def me(wire: Wire, number: int) -> None:
        await wire.expect(200, "GET", "/me", headers=_bearer(tokens[number]["access"]))

    operations = {"sign in": sign_in, "refresh": refresh, "guarded, from the token": me}
    return Target(running=running, operations=operations, idle_memory_bytes=memory)


@asynccontextmanager
async def better_auth(context: Context) -> AsyncIterator[Target]:
    """Sessions in SQLite; its argon2 is built with AVX2."""
    port, folder = free_port(), node_folder("better_auth")
    command = ("node", str(folder / "server.mjs"))
    database = str(context.folder / "better_auth.sqlite")
    with _served(
        context, "better-auth (SQLite)", command, folder="better_auth", port=port, BENCH_DATABASE=database
    ) as running:
        memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
        await _register(running, context.people, "/api/auth/sign-up/email", _by_email)
        origin = f"Origin: {running.url}\r\n"

        async def login(wire: Wire, number: int) -> str:
            answer = await wire.expect(200, "POST", "/api/auth/sign-in/email", _by_email(number), headers=origin)
            return answer.cookies()

        async with Wire(running.url) as wire:
            cookie = await login(wire, 0)

        async def sign_in(wire: Wire, _number: int) -> None:
            await login(wire, next(somebody))

        async def session(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/api/auth/get-session", headers=f"Cookie: {cookie}\r\n")

        operations: dict[str, Operation] = {"sign in": sign_in, "who am I, with the user read": session}
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


@asynccontextmanager
async def oidc_provider(context: Context) -> AsyncIterator[Target]:
    """In memory; it has no passwords, so a client signs in for itself."""
    port, folder = free_port(), node_folder("oidc_provider")
    command = ("node", str(folder / "server.mjs"))
    with _served(context, "node-oidc-provider", command, folder="oidc_provider", port=port) as running:
        secret = base64.b64encode(b"bench:not-a-secret-but-long-enough").decode()

        async def token(wire: Wire, _number: int) -> None:
            form = _form(grant_type="client_credentials")
            await wire.expect(200, "POST", "/token", form=form, headers=f"Authorization: Basic {secret}\r\n")

        async def jwks(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/jwks")

        operations: dict[str, Operation] = {"client credentials": token, "key set": jwks}
        yield Target(running=running, operations=operations, idle_memory_bytes=running.memory_bytes())


@asynccontextmanager
async def keycloak(context: Context) -> AsyncIterator[Target]:
    """In development mode on its embedded database, with its own argon2id (7 MiB, 5 passes); direct grant."""
    port, folder = free_port(), keycloak_folder()
    command = (str(folder / "bin/kc.sh"), "start-dev", "--http-port", str(port), "--http-host", "127.0.0.1")
    program = Program(
        name="Keycloak",
        command=command,
        folder=folder,
        port=port,
        environ={"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD},
        ready="/realms/master",
        start_seconds=240,
    )
    path = "/realms/master/protocol/openid-connect"
    with run(program, context.folder / "keycloak.log") as running:
        _prepare_keycloak(running.url)
        memory = running.memory_bytes()
        login = _form(client_id="admin-cli", grant_type="password", username="admin", password=PASSWORD)
        async with Wire(running.url) as wire:
            tokens = [(await wire.expect(200, "POST", f"{path}/token", form=login)).json() for _ in range(_LANES)]

        async def sign_in(wire: Wire, _number: int) -> None:
            await wire.expect(200, "POST", f"{path}/token", form=login)

        async def refresh(wire: Wire, number: int) -> None:
            presented = tokens[number]["refresh_token"]
            form = _form(client_id="admin-cli", grant_type="refresh_token", refresh_token=presented)
            tokens[number] = (await wire.expect(200, "POST", f"{path}/token", form=form)).json()

        async def jwks(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", f"{path}/certs")

        operations: dict[str, Operation] = {"sign in": sign_in, "refresh": refresh, "key set": jwks}
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


def _prepare_keycloak(url: str) -> None:
    """Refresh tokens rotate and are used once, as ours; sessions outlive the run."""
    login = _form(client_id="admin-cli", grant_type="password", username="admin", password=PASSWORD)
    for _ in range(60):
        try:
            with urlopen(f"{url}/realms/master/protocol/openid-connect/token", data=login, timeout=30) as answer:
                token = json.load(answer)["access_token"]
            break
        except OSError:
            time.sleep(1)
    change = {"revokeRefreshToken": True, "refreshTokenMaxReuse": 0, "accessTokenLifespan": 300}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{url}/admin/realms/master", data=json.dumps(change).encode(), headers=headers, method="PUT")
    with urlopen(request, timeout=30):
        return


def _email(number: int) -> str:
    return f"person{number}@example.com"


def _by_email(number: int) -> dict[str, str]:
    return {"email": _email(number), "password": PASSWORD, "name": "somebody"}


def _by_username(number: int) -> dict[str, str]:
    return {"username": _email(number), "password": PASSWORD}


def _form(**fields: str) -> bytes:
    return urlencode(fields).encode()
