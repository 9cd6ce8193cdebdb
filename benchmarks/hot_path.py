"""CPU time of the service's hot routes beside their floors: ``python -m benchmarks.hot_path``.

One worker of ``keyturn serve`` with production's settings (cheap hashes apart), an embedded engine, and two servers of
``floors``, asked in turns over keep-alive connections. A figure is the CPU time of the server's process an operation,
from ``/proc``, the median of the rounds; the floors of signatures and of DynamoDB calls are measured in this process.
Compare figures of one run only. ``--profile FILE`` writes what cProfile says of the service's process.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import CollectorRegistry

from benchmarks.store_client import CALLS, aiohttp_session, make_table, over_aiohttp
from service.base import open_base
from service.cli.context import migrate_context
from service.engines.process import EngineProcess
from service.engines.registry import choose
from service.kernel.clock import SystemClock
from service.kernel.entropy import SystemEntropy
from service.kernel.ids import new_user_id
from service.migrate.runner import apply_all
from service.sessions.model import Device, SignInFacts
from service.settings import load
from service.signin.flows import SignIn
from service.store.client import open_lean_client
from service.store.lean.connection import Connection
from service.telemetry.metrics import Metrics
from service.users.actions import put_user
from service.users.model import User, UserState
from service.wiring.build import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from service.base import Base

TICK = os.sysconf("SC_CLK_TCK")
"""The unit of ``/proc/PID/stat``: a hundredth of a second, so a round must be long enough."""
CONCURRENCY = 8
_SERVED = "from service.command import main; main()"
_PROFILED = """
import cProfile, os, signal
from service.command import main
signal.signal(signal.SIGTERM, lambda *_: None)  # the server raises it again when it is done
profile = cProfile.Profile()
try:
    profile.runcall(main)
finally:
    profile.dump_stats(os.environ["BENCH_PROFILE"])
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--requests", type=int, default=1500, help="requests a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--throttle", choices=["on", "off"], default="on")
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--only", help="one of the measured operations, for a profile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as folder:
        uvloop.run(_measure(options, Path(folder)))


@dataclass
class Server:
    """A server's process, its connections, and what its operations cost."""

    name: str
    pid: int
    port: int
    requests: Callable[[], bytes]
    spent_ms: list[float] = field(default_factory=list)

    async def round(self, requests: int, *, counts: bool) -> None:
        """Ask so often, and note the CPU time an operation."""
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: Connection(lambda _: None), "127.0.0.1", self.port))[1]
            for _ in range(CONCURRENCY)
        ]
        before = cpu_ms(self.pid)
        await asyncio.gather(*(self._ask(one, requests // CONCURRENCY) for one in opened))
        spent = cpu_ms(self.pid) - before
        for one in opened:
            one.abort()
        if counts:
            self.spent_ms.append(spent / (requests // CONCURRENCY * CONCURRENCY))

    async def _ask(self, connection: Connection, times: int) -> None:
        for _ in range(times):
            answer = await connection.exchange(self.requests(), timeout_seconds=30)
            if answer.status != HTTPStatus.OK:
                raise SystemExit(f"{self.name}: {answer.status} {answer.body!r}")


def cpu_ms(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICK


async def _measure(options: argparse.Namespace, folder: Path) -> None:
    async with EngineProcess(choose("auto")) as engine, AsyncExitStack() as stack:
        environ = _environ(engine.endpoint_url, folder, options.throttle)
        os.environ.update({**environ, "BENCH_PROFILE": str(options.profile)})
        base = await stack.enter_async_context(open_base(load(environ), Metrics(registry=CollectorRegistry())))
        await apply_all(migrate_context(base, embedded=True))
        people = await _people(base, (options.rounds + 1) * options.requests)
        port = free_port()
        command = ["-c", _PROFILED if options.profile else _SERVED, "serve", "--port", str(port)]
        with running(command, port, environ) as own, floor("fastapi_hello") as hello, floor("starlette_bytes") as jwks:
            measured = [
                Server("FastAPI hello world", *hello, lambda: get("/")),
                Server("Starlette static bytes", *jwks, lambda: get("/")),
                Server("refresh", *own, lambda: refresh(people.refresh_tokens.pop())),
                Server("GET /v1/me", *own, lambda: get("/v1/me", people.access)),
                Server("JWKS", *own, lambda: get("/.well-known/jwks.json")),
            ]
            for number in range(options.rounds + 1):
                for server in measured:
                    if not options.only or server.name == options.only:
                        await server.round(options.requests, counts=number > 0)
        if not options.only:
            floors = await _floors(stack, options.rounds)
            report({server.name: server.spent_ms for server in measured} | floors)


@dataclass
class People:
    """Refresh tokens that have not rotated yet, and an access token."""

    refresh_tokens: list[str]
    access: str


async def _people(base: Base, sessions: int) -> People:
    """One user with so many sessions, made by the flow that a sign-in ends with."""
    now_ms = base.clock.now_ms()
    named = {"email": "ada@example.com", "email_key": "e1#" + "a" * 43, "username": None, "username_key": None}
    shown = {"scope": "", "display_name": "Ada Lovelace", "locale": "en", "created_ms": now_ms, "verified_ms": now_ms}
    user = User(user_id=new_user_id(base.entropy), state=UserState.ACTIVE, epoch=0, **named, **shown)
    await base.dynamo.write(put_user(user))
    facts = SignInFacts(client_id="keyturn", scope="", auth_time_seconds=now_ms // 1000, amr=("pwd",), acr="1")
    device = Device(name="Ada's phone", user_agent="Mozilla/5.0 " + "x" * 108, address="192.0.2.0/24")
    people = People([], "")
    async with build(base) as services:
        open_session = services.get(SignIn).open_session
        for _ in range(sessions // 50 + 1):
            issued = await asyncio.gather(*(open_session(user, facts, device) for _ in range(50)))
            people.refresh_tokens += [one.refresh_token.reveal() for one in issued]
            people.access = issued[0].access_token.reveal()
    return people


async def _floors(stack: AsyncExitStack, rounds: int) -> dict[str, list[float]]:
    """Bare signatures, and DynamoDB calls by a transport written by hand, in this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, rule, data = key.public_key(), ec.ECDSA(hashes.SHA256()), b"x" * 400
    signature = key.sign(data, rule)
    session = await stack.enter_async_context(aiohttp_session())
    lean = await stack.enter_async_context(open_lean_client(clock=SystemClock(), entropy=SystemEntropy()))
    await make_table(stack)
    floors: dict[str, list[float]] = {"ES256 sign": [], "ES256 verify": [], "DynamoDB call by hand": []}
    for number in range(rounds + 1):
        begun = time.process_time()
        for _ in range(500):
            key.sign(data, rule)
        signed = time.process_time()
        for _ in range(500):
            public.verify(signature, data, rule)
        verified = time.process_time()
        for _ in range(200):
            await asyncio.gather(*(over_aiohttp(session, lean, *one) for one in CALLS))
        called = time.process_time()
        if number:
            floors["ES256 sign"].append((signed - begun) * 2)
            floors["ES256 verify"].append((verified - signed) * 2)
            floors["DynamoDB call by hand"].append((called - verified) * 2.5)
    return floors


def report(spent: Mapping[str, Sequence[float]]) -> None:
    """The figures, and the three ratios that are promised."""
    for name, found in spent.items():
        print(f"{name:26} {statistics.median(found):7.3f} ms  {min(found):.3f}-{max(found):.3f}")
    of = {name: statistics.median(found) for name, found in spent.items()}
    hello = of["FastAPI hello world"]
    refresh_floor = hello + of["ES256 sign"] + 2 * of["DynamoDB call by hand"]
    print(
        f"refresh is {of['refresh'] / refresh_floor:.2f} of hello world + signature + two calls by hand (at most 2.2)"
    )
    print(f"me is {of['GET /v1/me'] / (hello + of['ES256 verify']):.2f} of hello world + verification (at most 1.6),")
    print("  with the read of the table that docs/adr/0006 has it do")
    print(f"JWKS is {of['JWKS'] / of['Starlette static bytes']:.2f} of Starlette's static bytes (at most 1.5)")


def _environ(store_url: str, folder: Path, throttle: str) -> dict[str, str]:
    def key() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    return {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL_DYNAMODB": store_url,
        # In prod the throttle cannot be turned off.
        "KEYTURN_ENV": "prod" if throttle == "on" else "dev",
        "KEYTURN_THROTTLE": throttle,
        "KEYTURN_TRUSTED_PROXIES": "1",
        "KEYTURN_ISSUER": "https://auth.example.com",
        "KEYTURN_TABLE_PREFIX": f"bench-{uuid.uuid4().hex[:8]}",
        "KEYTURN_REFRESH_KEYS": f"1:{key()}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{key()}",
        "KEYTURN_IDENTITY_KEY": key(),
        "KEYTURN_MAIL_URL": "smtp://127.0.0.1:2525",
        "KEYTURN_MAIL_FROM": "keyturn@example.com",
        "KEYTURN_BREACH_LIST": "offline",
        "KEYTURN_MANAGEMENT_PORT": str(free_port()),
        "HOME": str(folder),
    }


@contextmanager
def running(command: Sequence[str], port: int, environ: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """A server's process id and port, once it listens; what it logs is written and thrown away."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        if process.poll() is not None:
            raise SystemExit(f"did not start: {command}")
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def floor(name: str) -> Any:
    """One of ``floors``, under uvicorn as the service runs it."""
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return running(["-m", "uvicorn", f"benchmarks.floors:{name}", "--port", str(port), *options], port, {})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(path: str, token: str = "") -> bytes:
    """A GET as a client behind a proxy sends it, each from an address of its own."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{_sender()}{bearer}\r\n".encode()


def refresh(token: str) -> bytes:
    """A refresh by an app."""
    body = f'{{"refresh_token":"{token}"}}'
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST /v1/refresh HTTP/1.1\r\nHost: x\r\n{_sender()}{head}\r\n{body}".encode()


def _sender() -> str:
    address = ".".join(str(part) for part in os.urandom(3))
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
    return f"User-Agent: {agent}\r\nAccept: */*\r\nX-Forwarded-For: 11.{address}\r\n"


if __name__ == "__main__":
    main()
