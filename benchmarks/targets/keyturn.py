"""Keyturn as it runs in production: throttle, events, log lines and mails; the same again with the faster argon2."""

from __future__ import annotations

import asyncio
import base64
import itertools
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.mail import mail_sink
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, run, unblocked
from benchmarks.targets.context import PASSWORD, Context
from benchmarks.targets.stock import stock
from service.throttle.device_headers import DEVICE_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.harness.measure import Operation
    from benchmarks.harness.wire import Wire
    from service.sessions.issue import IssuedTokens

NO_MAIL = "smtp://127.0.0.1:9"
"""For what causes no mail: nobody listens there."""
IDLE_SECONDS = 5
"""Some modules are loaded a few seconds after the start, and count as memory of an idle worker."""
KEYTURN = str(Path(sys.executable).parent / "keyturn")


def environ(context: Context, *, name: str, mail_url: str = NO_MAIL, engine: str = "argon2-cffi") -> dict[str, str]:
    """The settings of one server. A generation stands one second, so that every refresh rotates."""
    return {
        **context.aws,
        "KEYTURN_ENV": "prod",
        "KEYTURN_ISSUER": "https://auth.example.com",
        "KEYTURN_TABLE_PREFIX": f"bench-{name}",
        "KEYTURN_REFRESH_KEYS": f"1:{_key(1)}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{_key(2)}",
        "KEYTURN_IDENTITY_KEY": _key(3),
        "KEYTURN_BREACH_LIST": "offline",
        "KEYTURN_REFRESH_GRACE_SECONDS": "0",
        "KEYTURN_CLOCK_SKEW_SECONDS": "0",
        # The token that is shown in every round outlives the run.
        "KEYTURN_ACCESS_TTL_SECONDS": "3600",
        "KEYTURN_STORE_DEADLINE_SECONDS": "1",
        "KEYTURN_MAIL_URL": mail_url,
        "KEYTURN_MAIL_FROM": "keyturn@example.com",
        # Each request comes from a network of its own: the limits of one are on, and none is reached.
        "KEYTURN_TRUSTED_PROXIES": "1",
        "KEYTURN_ARGON2_ENGINE": engine,
        "KEYTURN_MANAGEMENT_PORT": str(free_port()),
        "KEYTURN_HASH_SLOTS": "1",
    }


def _key(number: int) -> str:
    return base64.b64encode(bytes(range(number, number + 32))).decode()


@asynccontextmanager
async def keyturn(context: Context, *, name: str = "keyturn", engine: str = "argon2-cffi") -> AsyncIterator[Target]:
    """One worker, with people and sessions in its tables."""
    port = free_port()
    async with mail_sink() as sink:
        variables = environ(context, name=name, mail_url=sink.url, engine=engine)
        issued = await stock(variables, people=context.people, sessions=context.sessions, password=PASSWORD)
        command = (KEYTURN, "serve", "--port", str(port))
        program = Program(
            name=name, command=command, folder=context.folder, port=port, environ=variables, ready="/readyz"
        )
        async with unblocked(run(program, context.folder / f"{name}.log")) as running:
            await asyncio.sleep(IDLE_SECONDS)
            memory = running.memory_bytes()
            asked = operations(issued, people=context.people)
            yield Target(running=running, operations=asked, idle_memory_bytes=memory)


def operations(issued: list[IssuedTokens], *, people: int) -> dict[str, Operation]:
    """What is asked of it. Sessions are refreshed in turn, so each has stood its second when its turn comes again."""
    numbers, somebody = itertools.count(1), itertools.cycle(range(people))
    refresh_tokens = [tokens.refresh_token.reveal() for tokens in issued]
    turns = itertools.cycle(range(len(refresh_tokens)))
    devices: dict[int, str] = {}
    bearer = f"Authorization: Bearer {issued[0].access_token.reveal()}\r\n"

    def network() -> str:
        number = next(numbers)
        return f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"

    async def sign_up(wire: Wire, _number: int) -> None:
        body = {"email": f"newcomer{next(numbers)}@example.com", "password": PASSWORD}
        await wire.expect(202, "POST", "/v1/register", body, headers=network())

    async def sign_in_anew(wire: Wire, _number: int) -> None:
        body = {"identifier": f"person{next(somebody)}@example.com", "password": PASSWORD}
        await wire.expect(200, "POST", "/v1/login", body, headers=network())

    async def sign_in(wire: Wire, _number: int) -> None:
        person = next(somebody)
        body = {"identifier": f"person{person}@example.com", "password": PASSWORD}
        known = f"{DEVICE_HEADER}: {devices[person]}\r\n" if person in devices else ""
        answer = await wire.expect(200, "POST", "/v1/login", body, headers=known + network())
        devices[person] = answer.header(DEVICE_HEADER.lower()) or devices[person]

    async def refresh(wire: Wire, _number: int) -> None:
        turn = next(turns)
        answer = await wire.expect(
            200, "POST", "/v1/refresh", {"refresh_token": refresh_tokens[turn]}, headers=network()
        )
        refresh_tokens[turn] = answer.json()["refresh_token"]

    async def me(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/v1/me", headers=bearer + network())

    async def jwks(wire: Wire, _number: int) -> None:
        await wire.expect(200, "GET", "/.well-known/jwks.json", headers=network())

    return {
        "sign up": sign_up,
        "sign in": sign_in,
        "sign in, on a new device": sign_in_anew,
        "refresh": refresh,
        "who am I, with the user read": me,
        "key set": jwks,
    }
