"""Alive and ready; and what everything answers when the store is away."""

from __future__ import annotations

import asyncio
import base64
import socket

import pytest

from service.sessions.refresh_token import RefreshKeys, RefreshToken
from service.settings import load
from service.settings_rules import parse_keys
from tests.conftest import KEY
from tests.support.answers import is_problem
from tests.support.people import PASSWORD

SOMEBODY = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"


async def test_alive_and_ready(client):
    alive, ready = await client.get("/healthz"), await client.get("/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    for answer in (alive, ready):
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
async def lonely(environ, open_app, monkeypatch, watch):
    """The service with a store that is away: nothing listens on its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{port}")
        async with open_app(load({**environ, "KEYTURN_STORE_DEADLINE_SECONDS": "1"})) as client:
            yield watch(client)


async def test_a_process_without_its_store_is_alive_and_not_ready(lonely):
    assert (await lonely.get("/healthz")).json() == {"status": "ok"}
    answer = await lonely.get("/readyz")
    assert is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# Well-formed, so that only the keys can tell whether it is good.
UNKNOWN_KEY = ".".join(map(_segment, (b'{"alg":"ES256","kid":"unknown","typ":"at+jwt"}', b"{}", bytes(64))))


async def test_without_the_store_every_door_says_503_and_when_to_come_back(lonely):
    token = RefreshKeys(parse_keys(f"1:{KEY}"), active_kid=1).encode(
        RefreshToken(kid=1, user_id=b"u" * 16, session_id=b"s" * 16, generation=0, secret=b"x" * 20)
    )
    bodies = {
        "/v1/login": {"identifier": "ada@example.com", "password": PASSWORD},
        "/v1/refresh": {"refresh_token": token},
        "/v1/logout": {"refresh_token": token},
        "/v1/register": {"email": "ada@example.com", "password": PASSWORD},
        "/v1/email/resend": {"email": "ada@example.com"},
        "/v1/email/verify": {"token": "A" * 64},
    }
    # The keys cannot be read, so nothing can be verified: that is no proof that the token is bad.
    guarded = [("GET", "/v1/me"), ("DELETE", "/v1/me"), ("POST", "/v1/logout-all"), ("GET", f"/v1/users/{SOMEBODY}")]
    answers = await asyncio.gather(
        *(lonely.post(path, json=body) for path, body in bodies.items()),
        *(lonely.request(*door, headers={"Authorization": f"Bearer {UNKNOWN_KEY}"}) for door in guarded),
    )
    for answer in answers:
        assert is_problem(answer, 503, "unavailable"), answer.request.url
        assert int(answer.headers["retry-after"]) >= 1
    assert is_problem(await lonely.get("/.well-known/jwks.json"), 503, "unavailable")
    assert (await lonely.get("/.well-known/oauth-authorization-server")).status_code == 200


async def test_what_needs_no_store_is_answered_without_it(lonely):
    assert is_problem(await lonely.post("/v1/refresh", json={"refresh_token": "garbage"}), 401, "invalid_grant")
    assert (await lonely.post("/v1/logout", json={"refresh_token": "garbage"})).status_code == 204
    assert is_problem(await lonely.get("/v1/me"), 401, "missing_token")
    assert is_problem(await lonely.post("/v1/email/verify", json={"token": "garbage"}), 400, "invalid_token")


async def test_tables_that_are_not_there_are_not_ready(environ, open_app, watch):
    async with open_app(load({**environ, "KEYTURN_TABLE_PREFIX": "nothing-here"})) as client:
        answer = await watch(client).get("/readyz")
        assert is_problem(answer, 503, "unavailable")
        assert "nothing-here" not in answer.text
