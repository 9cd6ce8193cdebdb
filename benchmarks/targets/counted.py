"""What is done to the servers on DynamoDB while their units are counted: one journey, each step by each person once."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.harness.mail import mail_sink
from benchmarks.harness.processes import Program, free_port, run, unblocked
from benchmarks.harness.wire import WrongAnswer
from benchmarks.targets import peers, providers
from benchmarks.targets.context import PASSWORD, Context
from benchmarks.targets.keyturn import KEYTURN, environ
from benchmarks.targets.peer import LANES
from benchmarks.targets.stock import stock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.harness.mail import MailSink
    from benchmarks.harness.measure import Operation
    from benchmarks.harness.wire import Wire

_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9._~-]+)")
_GENERATION_SECONDS = 1.1
"""A refresh before this would be answered without a rotation."""


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A server's address and its steps in their order; a name of None is done and not counted."""

    url: str
    steps: tuple[tuple[str | None, Operation], ...]


@asynccontextmanager
async def keyturn(context: Context) -> AsyncIterator[Journey]:
    """As it is measured: throttle, audit events and mails are on."""
    port = free_port()
    async with mail_sink() as sink:
        variables = environ(context, name="keyturn-units", mail_url=sink.url)
        await stock(variables, people=0, sessions=0, password=PASSWORD)
        command = (KEYTURN, "serve", "--port", str(port))
        program = Program(
            name="keyturn", command=command, folder=context.folder, port=port, environ=variables, ready="/readyz"
        )
        async with unblocked(run(program, context.folder / "keyturn-units.log")) as running:
            yield Journey(url=running.url, steps=_Person(sink).steps())


class _Person:
    """What Keyturn's people remember between steps, by their number."""

    def __init__(self, mails: MailSink) -> None:
        self._mails = mails
        self._devices: dict[int, str] = {}
        self._tokens: dict[int, dict[str, str]] = {}

    def steps(self) -> tuple[tuple[str | None, Operation], ...]:
        """The first sign-in on a device is dearer and rare, so the second is the one that counts."""
        return (
            ("sign up", self._register),
            ("confirm the address", self._confirm),
            (None, self._sign_in),
            ("sign in", self._sign_in),
            (None, self._wait),
            ("refresh", self._refresh),
            ("log out", self._log_out),
        )

    async def _register(self, wire: Wire, number: int) -> None:
        body = {"email": _email(number), "password": PASSWORD}
        await wire.expect(202, "POST", "/v1/register", body, headers=_network(number))

    async def _confirm(self, wire: Wire, number: int) -> None:
        await wire.expect(204, "POST", "/v1/email/verify", {"token": self._token(number)}, headers=_network(number))

    def _token(self, number: int) -> str:
        found = _TOKEN.search(self._mails.texts.get(_email(number), ""))
        if found is None:
            raise WrongAnswer(f"no mail came to {_email(number)}")
        return found[1]

    async def _sign_in(self, wire: Wire, number: int) -> None:
        body = {"identifier": _email(number), "password": PASSWORD}
        known = f"X-Keyturn-Device: {self._devices[number]}\r\n" if number in self._devices else ""
        answer = await wire.expect(200, "POST", "/v1/login", body, headers=_network(number) + known)
        self._tokens[number] = answer.json()
        self._devices[number] = answer.header("x-keyturn-device") or self._devices[number]

    async def _wait(self, _wire: Wire, _number: int) -> None:
        await asyncio.sleep(_GENERATION_SECONDS)

    async def _refresh(self, wire: Wire, number: int) -> None:
        body = {"refresh_token": self._tokens[number]["refresh_token"]}
        answer = await wire.expect(200, "POST", "/v1/refresh", body, headers=_network(number))
        self._tokens[number] = answer.json()

    async def _log_out(self, wire: Wire, number: int) -> None:
        body = {"refresh_token": self._tokens[number]["refresh_token"]}
        await wire.expect(204, "POST", "/v1/logout", body, headers=_network(number))


@asynccontextmanager
async def flask_jwt(context: Context) -> AsyncIterator[Journey]:
    """The hand-rolled stack: an item a user, an item a refresh token; it sends no mail and counts no attempts."""
    async with unblocked(peers.flask_jwt_served(context, tables="bench-flask-units")) as running:
        tokens: dict[int, dict[str, str]] = {}

        async def register(wire: Wire, number: int) -> None:
            await wire.expect(201, "POST", "/register", {"username": _email(number), "password": PASSWORD})

        async def sign_in(wire: Wire, number: int) -> None:
            body = {"username": _email(number), "password": PASSWORD}
            tokens[number] = (await wire.expect(200, "POST", "/login", body)).json()

        async def refresh(wire: Wire, number: int) -> None:
            tokens[number] = (await wire.expect(200, "POST", "/refresh", headers=_refresh(number))).json()

        async def log_out(wire: Wire, number: int) -> None:
            await wire.expect(204, "POST", "/logout", headers=_refresh(number))

        def _refresh(number: int) -> str:
            return f"Authorization: Bearer {tokens[number]['refresh']}\r\n"

        steps = (("sign up", register), ("sign in", sign_in), ("refresh", refresh), ("log out", log_out))
        yield Journey(url=running.url, steps=steps)


@asynccontextmanager
async def oidc_provider(context: Context) -> AsyncIterator[Journey]:
    """node-oidc-provider, with dynamodb.mjs beside it for its storage; its sessions are there already."""
    served = providers.oidc_provider_served(context, table="bench-oidc-units", sessions=LANES)
    async with unblocked(served) as (running, tokens):

        async def refresh(wire: Wire, number: int) -> None:
            tokens[number] = await providers.oidc_refresh(wire, tokens[number])

        async def client_credentials(wire: Wire, _number: int) -> None:
            await providers.oidc_client_credentials(wire)

        steps = (("refresh", refresh), ("client credentials", client_credentials))
        yield Journey(url=running.url, steps=steps)


def _email(number: int) -> str:
    return f"traveller{number}@example.com"


def _network(number: int) -> str:
    return f"X-Forwarded-For: 10.200.{number}.1\r\n"
