"""Peers that are OpenID providers: node-oidc-provider, in memory and on DynamoDB, and Keycloak."""

from __future__ import annotations

import base64
import json
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from benchmarks.harness.install import keycloak_folder, node_folder
from benchmarks.harness.measure import Target
from benchmarks.harness.processes import Program, Running, free_port, run
from benchmarks.harness.wire import Wire, WrongAnswer
from benchmarks.targets.context import PASSWORD, Context
from benchmarks.targets.peer import LANES, form, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.harness.measure import Operation

_CLIENT = base64.b64encode(b"bench:not-a-secret-but-long-enough").decode()
_BASIC = f"Authorization: Basic {_CLIENT}\r\n"


@asynccontextmanager
async def oidc_provider(context: Context, *, table: str | None = None) -> AsyncIterator[Target]:
    """In memory, or on the table of that name; it has no passwords, so its sessions are made when it starts."""
    with oidc_provider_served(context, table=table, sessions=LANES) as (running, tokens):

        async def client_credentials(wire: Wire, _number: int) -> None:
            await oidc_client_credentials(wire)

        async def jwks(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", "/jwks")

        async def refresh(wire: Wire, number: int) -> None:
            tokens[number] = await oidc_refresh(wire, tokens[number])

        operations: dict[str, Operation] = {"refresh": refresh, "client credentials": client_credentials}
        if table is None:
            operations["key set"] = jwks
        yield Target(running=running, operations=operations, idle_memory_bytes=running.memory_bytes())


@contextmanager
def oidc_provider_served(context: Context, *, table: str | None, sessions: int) -> Iterator[tuple[Running, list[str]]]:
    """The server alone, and the refresh tokens of its sessions."""
    port, folder = free_port(), node_folder("oidc_provider")
    left = context.folder / f"oidc-provider-{port}.json"
    variables = {"BENCH_SESSIONS": str(sessions), "BENCH_TOKENS": str(left), **context.aws}
    if table is not None:
        variables["BENCH_TABLE"] = table
    command = ("node", str(folder / "server.mjs"))
    with served(context, "oidc-provider", command, peer="oidc_provider", port=port, **variables) as running:
        yield running, json.loads(left.read_text())


async def oidc_client_credentials(wire: Wire) -> None:
    """A client's own token."""
    await wire.expect(200, "POST", "/token", form=form(grant_type="client_credentials"), headers=_BASIC)


async def oidc_refresh(wire: Wire, token: str) -> str:
    """The next refresh token of a session. Raises WrongAnswer where the token did not rotate."""
    presented = form(grant_type="refresh_token", refresh_token=token)
    answer = (await wire.expect(200, "POST", "/token", form=presented, headers=_BASIC)).json()
    if answer["refresh_token"] == token or answer["access_token"].count(".") != 2:  # noqa: PLR2004
        raise WrongAnswer(f"no rotation, or no JWT: {answer['token_type']}")
    rotated: str = answer["refresh_token"]
    return rotated


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
        login = form(client_id="admin-cli", grant_type="password", username="admin", password=PASSWORD)
        async with Wire(running.url) as wire:
            tokens = [(await wire.expect(200, "POST", f"{path}/token", form=login)).json() for _ in range(LANES)]

        async def sign_in(wire: Wire, _number: int) -> None:
            await wire.expect(200, "POST", f"{path}/token", form=login)

        async def refresh(wire: Wire, number: int) -> None:
            presented = tokens[number]["refresh_token"]
            body = form(client_id="admin-cli", grant_type="refresh_token", refresh_token=presented)
            tokens[number] = (await wire.expect(200, "POST", f"{path}/token", form=body)).json()

        async def jwks(wire: Wire, _number: int) -> None:
            await wire.expect(200, "GET", f"{path}/certs")

        operations: dict[str, Operation] = {"sign in": sign_in, "refresh": refresh, "key set": jwks}
        yield Target(running=running, operations=operations, idle_memory_bytes=memory)


def _prepare_keycloak(url: str) -> None:
    """Refresh tokens rotate and are used once, as ours; sessions outlive the run."""
    login = form(client_id="admin-cli", grant_type="password", username="admin", password=PASSWORD)
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
