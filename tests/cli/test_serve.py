"""``keyturn serve`` as it runs in production: workers, a management port, a quiet end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import time
import uuid
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import KEY
from tests.support.mailbox import Mailbox
from tests.support.people import bearer, refresh, sign_in, sign_up


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def environ(engine_url, tmp_path):
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return {
        **aws,
        "KEYTURN_ENV": "dev",
        "KEYTURN_ISSUER": "http://localhost:8000",
        "KEYTURN_TABLE_PREFIX": f"serve-{uuid.uuid4().hex[:8]}",
        "KEYTURN_REFRESH_KEYS": f"1:{KEY}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{KEY}",
        "KEYTURN_IDENTITY_KEY": KEY,
        "KEYTURN_MAIL_URL": f"maildir:{tmp_path / 'mail'}",
        "KEYTURN_ARGON2_MEMORY_KIB": "64",
        "KEYTURN_ARGON2_TIME_COST": "1",
        "KEYTURN_MANAGEMENT_PORT": str(free_port()),
    }


def answers(http, url):
    try:
        return http.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def sign_in_under_way(port):
    """A connection to a worker that waits for the rest of a request, and that rest."""
    body = b'{"identifier": "nobody@example.com", "password": "wrong horse battery staple"}'
    head = f"POST /v1/login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        yield connection, body


def counted(text, name):
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def test_two_workers_serve_count_together_and_drain(start, http, environ):
    port = free_port()
    served = start("serve", "--port", port, "--workers", "2", "--migrate", **environ)
    url = f"http://127.0.0.1:{port}"
    served.wait_for(lambda: answers(http, url))
    served.wait_for(lambda: len([one for one in served.family if "spawn_main" in " ".join(one.cmdline())]) == 2)

    # Many connections, so that the kernel spreads them over both.
    for number in range(40):
        body = {"identifier": f"nobody{number}@example.com", "password": "wrong horse battery staple"}
        assert httpx.post(f"{url}/v1/login", json=body, timeout=10).status_code in {401, 503}
    metrics_url = f"http://127.0.0.1:{environ['KEYTURN_MANAGEMENT_PORT']}/metrics"
    text = http.get(metrics_url).text
    assert counted(text, "keyturn_security_events_total") >= 30
    assert httpx.get(f"{url}/metrics").status_code == 404
    assert httpx.get(f"http://127.0.0.1:{environ['KEYTURN_MANAGEMENT_PORT']}/v1/me").text.startswith("#")

    # A request that is under way when the signal comes is answered.
    with sign_in_under_way(port) as (connection, body):
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.sendall(body)
        assert connection.recv(1024).startswith(b"HTTP/1.1 401 ")
    assert served.process.wait(25) in {0, -signal.SIGTERM}
    assert served.orphans() == []
    assert "Traceback" not in served.err


@pytest.mark.parametrize("count", ["1", "3"])
async def test_what_a_person_does_goes_alike_with_one_worker_and_with_more(start, http, environ, tmp_path, count):
    url = f"http://127.0.0.1:{(port := free_port())}"
    served = start("serve", "--port", port, "--workers", count, "--migrate", **environ)
    served.wait_for(lambda: answers(http, url))
    # A connection for each request: whichever worker takes it knows nothing of those before.
    each_its_own = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, limits=each_its_own) as client:
        await sign_up(client, Mailbox(tmp_path / "mail"))
        first = await sign_in(client)
        answers_at_once = await asyncio.gather(*(refresh(client, first["refresh_token"]) for _ in range(12)))
        assert {answer.status_code for answer in answers_at_once} == {200}
        (successor,) = {answer.json()["refresh_token"] for answer in answers_at_once}
        assert {(await client.get("/v1/me", headers=bearer(first))).status_code for _ in range(6)} == {200}
        assert len({(await client.get("/.well-known/jwks.json")).content for _ in range(6)}) == 1
        assert (await client.post("/v1/logout", json={"refresh_token": successor})).status_code == 204
        assert {(await refresh(client, successor)).status_code for _ in range(6)} == {401}
    assert served.end(signal.SIGTERM) in {0, -signal.SIGTERM}


def test_one_worker_ends_quietly(start, http, environ):
    port = free_port()
    served = start("serve", "--port", port, "--migrate", **environ)
    served.wait_for(lambda: answers(http, f"http://127.0.0.1:{port}"))
    assert http.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    assert "keyturn_" in http.get(served.metrics_url).text
    assert served.end(signal.SIGTERM) in {0, -signal.SIGTERM}
    assert "Traceback" not in served.err


def test_a_management_port_that_is_taken_is_one_line(run, environ):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environ["KEYTURN_MANAGEMENT_PORT"])))
        taken.listen()
        status, out, err = run("serve", "--port", free_port(), **environ)
    assert (status, out, len(err.strip().splitlines())) == (1, "", 1), err
    assert "KEYTURN_MANAGEMENT_PORT" in err


def test_prod_tells_everything_that_is_missing_and_starts_nothing(run):
    status, out, err = run("serve", KEYTURN_ENV="prod", KEYTURN_ISSUER="http://localhost:8000")
    assert (status, out) == (1, "")
    assert all(line.startswith("keyturn: KEYTURN_") for line in err.splitlines()), err
    assert "Traceback" not in err
