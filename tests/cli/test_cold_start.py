"""What a server loads until its first requests are answered: nothing that only later ones need.

Times depend on the machine; what is loaded does not. The figures are in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import textwrap

import pytest

from service.kernel.clock import SystemClock
from tests.support.people import PASSWORD, sign_in, sign_up

LATE = (
    # With the first password that is set.
    *("zxcvbn", "service.passwords.strength", "service.passwords.breach_range"),
    # With the first mail and the first page.
    *("jinja2", "aiosmtplib"),
    # With what asks for it: commands, settings, extras.
    *("service.migrate.runner", "service.cli.migrate_output", "service.engines.process", "service.engines.dynoxide"),
    *("redis", "nacl", "opentelemetry.sdk"),
)
SERVER = textwrap.dedent(
    """
    import asyncio, json, os, sys

    import service.cli.main, service.cli.serve, service.cli.server, service.workers
    from service.workers import worker_app

    # What a worker loads by itself some seconds later is no part of its first requests, however long they take here.
    service.workers.load_late = lambda: None
    app, (token, identifier, password, device) = worker_app(), sys.argv[1:]

    async def ask(method, path, body=b"", *headers):
        given = [(b"host", b"localhost:8000"), (b"content-type", b"application/json"),
                 (b"content-length", b"%d" % len(body)), *headers]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
                 "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "headers": given,
                 "client": ("127.0.0.1", 50000), "server": ("localhost", 8000)}
        said, whole = [], asyncio.Event()

        async def receive():
            if not said:
                said.append(None)
                return {"type": "http.request", "body": body}
            await whole.wait()
            return {"type": "http.disconnect"}

        answer = {"body": b""}

        async def send(message):
            answer["status"] = message.get("status", answer.get("status"))
            answer["body"] += message.get("body", b"")

        await app(scope, receive, send)
        whole.set()
        assert answer["status"] == 200, (path, answer)
        return json.loads(answer["body"])

    async def serve():
        async with app.router.lifespan_context(app):
            await ask("GET", "/readyz")
            await ask("GET", "/.well-known/jwks.json")
            await ask("POST", "/v1/refresh", json.dumps({"refresh_token": token}).encode())
            signed_in = json.dumps({"identifier": identifier, "password": password}).encode()
            tokens = await ask("POST", "/v1/login", signed_in, (b"x-keyturn-device", device.encode()))
            await ask("GET", "/v1/me", b"", (b"authorization", b"Bearer " + tokens["access_token"].encode()))
            return sorted(sys.modules)

    print(json.dumps(asyncio.run(serve())))
    """
)


@pytest.fixture
def clock():
    """That of the other process too, or it would not know the device."""
    return SystemClock()


async def test_the_first_requests_load_nothing_that_only_later_ones_need(client, mailbox, environ):
    await sign_up(client, mailbox)
    await sign_in(client)
    tokens = await sign_in(client)
    # A device that is not known would be a reason to send a mail.
    device = client.known_devices["ada@example.com"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, tokens["refresh_token"], "ada@example.com", PASSWORD, device),
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, failed = await process.communicate()
    assert process.returncode == 0, failed.decode()
    loaded = set(json.loads(out.splitlines()[-1]))
    assert "service.sessions.refresh" in loaded
    assert sorted(loaded.intersection(LATE)) == []
