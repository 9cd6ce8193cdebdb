"""A store that holds so many people and sessions, with one worker of the service on it, and what is asked of it."""

from __future__ import annotations

import itertools
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from benchmarks.fill.engine_file import write_rows
from benchmarks.fill.people import Town
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, run
from benchmarks.harness.variables import environment
from benchmarks.harness.wire import Wire
from benchmarks.targets.context import PASSWORD, Context
from benchmarks.targets.keyturn import environ
from service.base import build_hasher, open_base
from service.cli.context import migrate_context
from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.kernel.email import Email, parse_email
from service.kernel.ids import id_text
from service.kernel.secret import Secret
from service.migrate.runner import apply_all
from service.sessions.refresh_token import RefreshKeys
from service.settings import load
from service.settings_rules import parse_keys
from service.telemetry.metrics import Metrics
from service.users.identity import IdentityKeys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.fill.people import Row
    from benchmarks.harness.measure import Operation
    from service.base import Base
    from service.sessions.refresh_token import RefreshToken
    from service.store.table import TableNames

SEED = 1
ENGINE = "dynoxide"
_TOOLS = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a store holds; ``asked`` of its sessions, spread over all of them, are the ones that are used."""

    name: str
    users: int
    sessions: int
    asked: int


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What filling came to."""

    items: int
    seconds: float
    file_bytes: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a session: the tokens of the last answer, as an app keeps them."""

    address: str
    user_id: str
    tokens: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def filled(folder: Path, size: Size) -> AsyncIterator[tuple[Target, Filled]]:
    """The service on a store of ``size``. Everything that it writes is under ``folder``."""
    port, data = free_port(), folder / size.name
    own = Context(folder=folder, engine_url="", short=True)
    people: dict[RefreshToken, Person] = {}
    async with EngineProcess(choose(ENGINE), data_dir=data) as engine:
        variables = variables_of(own, engine, size.name)
        with environment(variables):
            settings = load({name: text for name, text in variables.items() if name.startswith("KEYTURN_")})
            async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
                await apply_all(migrate_context(base, embedded=True))
                town, identities = await _town(base, size), IdentityKeys(base.identity_master)
                names = base.dynamo.names
    filled = fill(data / "engine" / ENGINE / "dynoxide.db", names, rows(town, identities, people, size))
    keys = parse_keys(settings.refresh_keys.get_secret_value())
    encode = RefreshKeys(keys, active_kid=town.kid).encode
    async with EngineProcess(choose(ENGINE), data_dir=data) as engine:
        variables = variables_of(own, engine, size.name)
        command = (str(_TOOLS / "keyturn"), "serve", "--port", str(port))
        program = Program(name=size.name, command=command, folder=folder, port=port, environ=variables, ready="/readyz")
        with run(program, folder / f"{size.name}.log") as running:
            for token, person in people.items():
                person.tokens["refresh_token"] = encode(token)
            memory = running.memory_bytes()
            found = list(people.values())
            await _greet(running.url, found)
            yield Target(running=running, operations=operations(found), idle_memory_bytes=memory), filled


def fill(file: Path, names: TableNames, found: Iterator[Row]) -> Filled:
    """Write the rows, and say what it took."""
    begun = time.monotonic()
    items = write_rows(file, names, found)
    return Filled(items=items, seconds=time.monotonic() - begun, file_bytes=file.stat().st_size)


def rows(town: Town, identities: IdentityKeys, people: dict[RefreshToken, Person], size: Size) -> Iterator[Row]:
    """Every item; the sessions that will be used are noted in ``people``."""
    for number in range(town.users):
        email = parse_email(town.address(number))
        if not isinstance(email, Email):
            raise TypeError(email)
        yield from town.person(number, identities.of(email))
    each = max(1, size.sessions // size.asked)
    for number, owner in enumerate(town.owners(Random(SEED))):
        token = town.token(number, owner)
        if number % each == 0 and len(people) < size.asked:
            people[token] = Person(address=town.address(owner), user_id=id_text(token.user_id))
        yield town.session(token, number)


def operations(people: list[Person]) -> dict[str, Operation]:
    """What is asked, each time by the next of ``people``: none comes twice before all have come once."""
    numbers, turns = itertools.count(1), itertools.cycle(people)

    def head(person: Person | None = None) -> str:
        number = next(numbers)
        bearer = "" if person is None else f"Authorization: Bearer {person.tokens['access_token']}\r\n"
        return f"{bearer}X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"

    async def refresh(wire: Wire, _number: int) -> None:
        person = next(turns)
        body = {"refresh_token": person.tokens["refresh_token"]}
        person.tokens.update((await wire.expect(200, "POST", "/v1/refresh", body, headers=head())).json())

    async def me(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/v1/me", headers=head(next(turns)))

    async def sessions(wire: Wire, _number: int) -> None:
        person = next(turns)
        await wire.expect(200, "GET", f"/v1/users/{person.user_id}/sessions", headers=head(person))

    async def sign_in(wire: Wire, _number: int) -> None:
        body = {"identifier": next(turns).address, "password": PASSWORD}
        await wire.expect(200, "POST", "/v1/login", body, headers=head())

    return {"refresh": refresh, "who am I": me, "list sessions": sessions, "sign in": sign_in}


def variables_of(context: Context, engine: EngineProcess, name: str) -> dict[str, str]:
    """The settings of the benchmark's server; access tokens outlive the run, and cold start is over before it."""
    there = Context(folder=context.folder, engine_url=engine.endpoint_url, short=context.short)
    made = environ(there, name=name, mail_url=f"maildir:{context.folder / name}-mail")
    return {**made, "KEYTURN_ENV": "dev", "KEYTURN_LOG_LEVEL": "warning", "KEYTURN_ACCESS_TTL_SECONDS": "86400"}


async def _town(base: Base, size: Size) -> Town:
    hasher = build_hasher(base)
    try:
        password_hash = await hasher.hash(Secret(PASSWORD))
    finally:
        await hasher.pool.close()
    kid = next(iter(parse_keys(base.settings.refresh_keys.get_secret_value())))
    return Town(
        users=size.users,
        sessions=size.sessions,
        seed=SEED,
        now_ms=base.clock.now_ms(),
        kid=kid,
        password_hash=password_hash,
    )


async def _greet(url: str, people: list[Person]) -> None:
    """Everybody's first pair of tokens."""
    refresh = operations(people)["refresh"]
    async with Wire(url) as wire:
        for _ in people:
            await refresh(wire, 0)
