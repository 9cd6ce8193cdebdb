"""The peers, each set up as its own documentation does, with the same argon2id parameters where it hashes."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from benchmarks.harness.install import node_folder, python_of
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Running, free_port
from benchmarks.harness.wire import Wire, WrongAnswer
from benchmarks.targets.context import PASSWORD, Context
from benchmarks.targets.peer import LANES, bearer, form, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from benchmarks.harness.measure import Operation

    Body = Callable[[int], dict[str, str]]


async def _register(running: Running, people: int, path: str, body: Body) -> Operation:
    """Make accounts, and what makes one more each time."""
    numbers = itertools.count()

    async def sign_up(wire: Wire, _number: int) -> None:
        answer = await wire.call("POST", path, body(next(numbers)), headers=f"Origin: {running.url}\r\n")
        if answer.status not in {200, 201}:
            raise WrongAnswer(f"{running.name}: {path}: {answer.status} {answer.body[:300]!r}")

    async with Wire(running.url) as wire:
        for number in range(people):
            await sign_up(wire, number)
    return sign_up


@asynccontextmanager
async def fastapi_users(context: Context) -> AsyncIterator[Target]:
    """SQLAlchemy on SQLite, JWT; it has no refresh."""
    port = free_port()
    command = (
        *(python_of("fastapi_users"), "-m", "uvicorn", "app:app", "--port", str(port)),
        *("--log-level", "warning", "--no-access-log"),
    )
    database = f"sqlite+aiosqlite:///{context.folder / 'fastapi_users.sqlite'}"
    with served(context, "fastapi-users", command, peer="fastapi_users", port=port, BENCH_DATABASE=database) as running:
        memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
        sign_up = await _register(running, context.people, "/register", _by_email)

        async def sign_in(wire: Wire, _number: int) -> None:
            await wire.expect(200, "POST", "/login", form=form(username=_email(next(somebody)), password=PASSWORD))

        async with Wire(running.url) as wire:
            answer = await wire.expect(200, "POST", "/login", form=form(username=_email(0), password=PASSWORD))
        token = answer.json()["access_token"]

        async def me(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/me", headers=bearer(token))

        operations: dict[str, Operation] = {
            "sign up": sign_up,
            "sign in": sign_in,
            "who am I, with the user read": me,
        }
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
    with served(context, name, command, peer=folder, port=port, **variables) as running:
        yield running


async def _pair(context: Context, running: Running, *, by_header: bool) -> Target:
    """A peer with /register, /login, /refresh and /me that answers access and refresh tokens."""
    memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
    sign_up = await _register(running, context.people, "/register", _by_username)

    async def login(wire: Wire, number: int) -> dict[str, str]:
        answer = await wire.expect(200, "POST", "/login", _by_username(number))
        found: dict[str, str] = answer.json()
        return found

    async with Wire(running.url) as wire:
        tokens = [await login(wire, number % context.people) for number in range(LANES)]

    async def sign_in(wire: Wire, _number: int) -> None:
        await login(wire, next(somebody))

    async def refresh(wire: Wire, number: int) -> None:
        presented = tokens[number]["refresh"]
        body = None if by_header else {"refresh": presented}
        headers = bearer(presented) if by_header else ""
        tokens[number] |= (await wire.expect(200, "POST", "/refresh", body, headers=headers)).json()

    async def me(wire: Wire, number: int) -> None:
        await wire.expect(200, "GET", "/me", headers=bearer(tokens[number]["access"]))

    operations = {"sign up": sign_up, "sign in": sign_in, "refresh": refresh, "guarded, from the token": me}
    return Target(running=running, operations=operations, idle_memory_bytes=memory)


@asynccontextmanager
async def better_auth(context: Context) -> AsyncIterator[Target]:
    """Sessions in SQLite; its argon2 is built with AVX2."""
    port, folder = free_port(), node_folder("better_auth")
    command = ("node", str(folder / "server.mjs"))
    database = str(context.folder / "better_auth.sqlite")
    with served(
        context, "better-auth (SQLite)", command, peer="better_auth", port=port, BENCH_DATABASE=database
    ) as running:
        memory, somebody = running.memory_bytes(), itertools.cycle(range(context.people))
        sign_up = await _register(running, context.people, "/api/auth/sign-up/email", _by_email)
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

        operations: dict[str, Operation] = {
            "sign up": sign_up,
            "sign in": sign_in,
            "who am I, with the user read": session,
        }
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


def _email(number: int) -> str:
    return f"person{number}@example.com"


def _by_email(number: int) -> dict[str, str]:
    return {"email": _email(number), "password": PASSWORD, "name": "somebody"}


def _by_username(number: int) -> dict[str, str]:
    return {"username": _email(number), "password": PASSWORD}
