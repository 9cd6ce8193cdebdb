"""``keyturn serve`` as it runs in production: workers, a management port, a quiet end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from service.passwords.model import CostBounds
from service.passwords.pool import share_of_cores, usable_cores
from tests.conftest import KEY
from tests.support.mailbox import Mailbox
from tests.support.people import bearer, refresh, sign_in, sign_up

HASHING = "keyturn_hash_memory_limit_bytes"
EVENTS = "keyturn_security_events_total"
REFRESHES = "keyturn_refreshes_total"
ONE_REQUEST_EACH = httpx.Limits(max_keepalive_connections=0)


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
        # Where the counts of several workers are kept while they serve.
        "TMPDIR": str(tmp_path),
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


def of_each(folder, name):
    """What each worker has counted as ``name``: it counts into files of its own, which the management port adds up."""
    found = Counter()
    for file in folder.glob("keyturn-metrics-*/*.db"):
        # A worker that starts has made a file before it writes into it.
        metrics = MultiProcessCollector.merge([str(file)]) if file.stat().st_size else ()
        samples = [sample for metric in metrics for sample in metric.samples if sample.name == name]
        found[file.stem.rpartition("_")[2]] += sum(sample.value for sample in samples)
    return +found


def cost_of_slots(count):
    """What so many hashing slots may take, in bytes."""
    return count * CostBounds().argon2_memory_kib * 1024


def guess(client, number):
    body = {"identifier": f"nobody{number}@example.com", "password": "wrong horse battery staple"}
    assert client.post("/v1/login", json=body).status_code in {401, 503}


def test_two_workers_serve_count_together_and_drain(start, http, environ, tmp_path):
    port = free_port()
    served = start("serve", "--port", port, "--workers", "2", "--migrate", **environ)
    url = f"http://127.0.0.1:{port}"
    served.wait_for(lambda: answers(http, url) and len(of_each(tmp_path, HASHING)) >= 2)
    # They share the cores of the machine.
    assert set(of_each(tmp_path, HASHING).values()) == {cost_of_slots(share_of_cores(2, cores=usable_cores()))}

    # A connection for each, some at once, until both have answered; a network has a hundred failures.
    with httpx.Client(base_url=url, trust_env=False, timeout=30, limits=ONE_REQUEST_EACH) as client:
        for first in range(0, 90, 10):
            with ThreadPoolExecutor(10) as at_once:
                list(at_once.map(partial(guess, client), range(first, first + 10)))
            if first >= 30 and len(of_each(tmp_path, EVENTS)) >= 2:
                break
    assert len(of_each(tmp_path, EVENTS)) >= 2
    metrics_url = f"http://127.0.0.1:{environ['KEYTURN_MANAGEMENT_PORT']}/metrics"
    text = http.get(metrics_url).text
    assert counted(text, EVENTS) == sum(of_each(tmp_path, EVENTS).values()) >= 30
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


@pytest.mark.parametrize("count", [1, 3])
async def test_what_a_person_does_goes_alike_with_one_worker_and_with_more(start, http, environ, tmp_path, count):
    url = f"http://127.0.0.1:{(port := free_port())}"
    served = start("serve", "--port", port, "--workers", count, "--migrate", KEYTURN_HASH_SLOTS="2", **environ)
    # A worker that is alone counts into no files.
    counting, at_least = (0, 0) if count == 1 else (count, 2)
    served.wait_for(lambda: answers(http, url) and len(of_each(tmp_path, HASHING)) >= counting)
    # Slots that are set are those of each worker, however many there are.
    assert set(of_each(tmp_path, HASHING).values()) == ({cost_of_slots(2)} if counting else set())
    # A connection for each request: whichever worker takes it knows nothing of those before.
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, limits=ONE_REQUEST_EACH) as client:
        await sign_up(client, Mailbox(tmp_path / "mail"))
        first = await sign_in(client)
        answers_at_once = await asyncio.gather(*(refresh(client, first["refresh_token"]) for _ in range(12)))
        for _ in range(8):
            if len(of_each(tmp_path, REFRESHES)) >= at_least:
                break
            answers_at_once += await asyncio.gather(*(refresh(client, first["refresh_token"]) for _ in range(12)))
        # Good refreshes, and no others yet, were answered by more than one worker.
        assert len(of_each(tmp_path, REFRESHES)) >= at_least
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
