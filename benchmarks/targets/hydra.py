"""Ory Hydra: an OAuth server without passwords of its own, on SQLite."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
from base64 import b64encode, urlsafe_b64encode
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from benchmarks.harness.install import hydra_program
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, free_port, run
from benchmarks.targets.peer import LANES, form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.harness.measure import Operation
    from benchmarks.harness.wire import Wire
    from benchmarks.targets.context import Context

_NOWHERE = "http://127.0.0.1:1"
"""Where a person would log in and consent; the program answers for them over Hydra's own interface for that."""
_SQLITE = "_fk=true&_journal_mode=WAL&_busy_timeout=10000&_txlock=immediate"
"""Without the last two, requests at the same time fail, since the database is locked."""
_SCOPE = "offline_access api"
_SECRET = "not-a-secret-but-long-enough"
_BASIC = f"Authorization: Basic {b64encode(f'server:{_SECRET}'.encode()).decode()}\r\n"


@asynccontextmanager
async def hydra(context: Context) -> AsyncIterator[Target]:
    """Access tokens are JWTs signed with ES256, as Keyturn's; refresh tokens rotate and are used once."""
    public, admin = free_port(), free_port()
    settings = context.folder / "hydra.json"
    settings.write_text(json.dumps(_settings(public, admin)))
    binary, environ = str(hydra_program()), {"DSN": f"sqlite://{context.folder / 'hydra.sqlite'}?{_SQLITE}"}
    await asyncio.to_thread(_make_tables, binary, environ)
    program = Program(
        name="hydra",
        command=(binary, "serve", "all", "--dev", "--sqa-opt-out", "-c", str(settings)),
        folder=context.folder,
        port=public,
        environ=environ,
        ready="/health/ready",
    )
    with run(program, context.folder / "hydra.log") as running:
        memory = running.memory_bytes()
        tokens = await _sessions(running.url, f"http://127.0.0.1:{admin}", count=LANES)

        async def refresh(wire: Wire, number: int) -> None:
            presented = form(grant_type="refresh_token", refresh_token=tokens[number], client_id="app")
            tokens[number] = (await wire.expect(200, "POST", "/oauth2/token", form=presented)).json()["refresh_token"]

        async def client_credentials(wire: Wire, _number: int) -> None:
            asked = form(grant_type="client_credentials")
            await wire.expect(200, "POST", "/oauth2/token", form=asked, headers=_BASIC)

        async def jwks(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/.well-known/jwks.json")

        operations: dict[str, Operation] = {
            "refresh": refresh,
            "client credentials": client_credentials,
            "key set": jwks,
        }
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


def _make_tables(binary: str, environ: dict[str, str]) -> None:
    command = (binary, "migrate", "sql", "up", "-e", "--yes")
    subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True, timeout=120)


def _settings(public: int, admin: int) -> dict[str, object]:
    return {
        "serve": {"public": {"host": "127.0.0.1", "port": public}, "admin": {"host": "127.0.0.1", "port": admin}},
        "urls": {
            "self": {"issuer": f"http://127.0.0.1:{public}"},
            "login": f"{_NOWHERE}/login",
            "consent": f"{_NOWHERE}/consent",
        },
        "strategies": {"access_token": "jwt"},
        "secrets": {"system": [_SECRET]},
        "log": {"level": "error"},
    }


async def _sessions(public: str, admin: str, *, count: int) -> list[str]:
    """The refresh tokens of so many people who have logged in and consented."""
    async with httpx.AsyncClient(base_url=admin, timeout=60) as owner:
        key = {"alg": "ES256", "use": "sig", "kid": "bench"}
        (await owner.post("/admin/keys/hydra.jwt.access-token", json=key)).raise_for_status()
        app = {
            "client_id": "app",
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": _SCOPE,
            "redirect_uris": [f"{_NOWHERE}/callback"],
        }
        server = {"client_id": "server", "client_secret": _SECRET, "grant_types": ["client_credentials"]}
        for client in (app, server):
            (await owner.post("/admin/clients", json=client)).raise_for_status()
        return [await _session(public, owner, f"person{number}") for number in range(count)]


async def _session(public: str, owner: httpx.AsyncClient, subject: str) -> str:
    """The way of a browser: ask, log in, consent, and redeem the code (RFC 6749 section 4.1, with PKCE)."""
    verifier = secrets.token_urlsafe(48)
    asked = {
        "client_id": "app",
        "response_type": "code",
        "scope": _SCOPE,
        "redirect_uri": f"{_NOWHERE}/callback",
        "state": secrets.token_urlsafe(16),
        "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient(timeout=60) as browser:
        login = await browser.get(f"{public}/oauth2/auth?{urlencode(asked)}")
        accepted = await _accept(owner, "login", login, {"subject": subject})
        consent = await browser.get(accepted)
        accepted = await _accept(owner, "consent", consent, {"grant_scope": _SCOPE.split()})
        code = _query(await browser.get(accepted), "code")
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": "app",
            "redirect_uri": f"{_NOWHERE}/callback",
            "code_verifier": verifier,
        }
        answer = await browser.post(f"{public}/oauth2/token", data=body)
    token: str = answer.raise_for_status().json()["refresh_token"]
    return token


async def _accept(owner: httpx.AsyncClient, what: str, asked: httpx.Response, body: dict[str, object]) -> str:
    """Where the browser goes on, once ``what`` was accepted."""
    challenge = {f"{what}_challenge": _query(asked, f"{what}_challenge")}
    answer = await owner.put(f"/admin/oauth2/auth/requests/{what}/accept", params=challenge, json=body)
    going_on: str = answer.raise_for_status().json()["redirect_to"]
    return going_on


def _query(answer: httpx.Response, name: str) -> str:
    """A parameter of the address that an answer leads to. Raises KeyError when it is not there."""
    return parse_qs(urlsplit(answer.headers["location"]).query)[name][0]
