"""A life with the service, watched by its logs at the finest level: no secret of it is told, anywhere."""

from __future__ import annotations

import io
import json
import logging
import re
import socket

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from service.app import create_app
from service.settings import load
from service.signin.flows import SignIn
from service.telemetry.logging import configure
from service.telemetry.metrics import Metrics
from tests.conftest import KEY
from tests.support.people import bearer

PASSWORD = "canary-4711 correct horse"
WRONG = "canary-0815 wrong horse"
EMAIL = "canary-ada@example.com"
OURS = {"X-Keyturn-Request": "1", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(params=["json", "console"])
def lines(request):
    """All that any logger says at DEBUG: through our handler, and as any other handler would see it."""
    root, stream, raw = logging.getLogger(), io.StringIO(), io.StringIO()
    before = root.handlers[:], root.level
    other = logging.StreamHandler(raw)
    root.addHandler(other)
    configure(style=request.param, level=logging.DEBUG, access_log=True, stream=stream)
    yield lambda: stream.getvalue() + raw.getvalue()
    root.handlers[:], root.level = before
    structlog.reset_defaults()


class Watched:
    """A client that keeps each answer, and each secret that it has sent or been given."""

    def __init__(self, client):
        self.client = client
        self.secrets = {PASSWORD, WRONG, KEY}
        self.problems = []

    async def __call__(self, method, path, **arguments):
        answer = await self.client.request(method, path, **arguments)
        if answer.headers.get("content-type") == "application/problem+json":
            self.problems.append(answer.text)
        elif answer.content:
            self.secrets |= {answer.json()[name] for name in ("access_token", "refresh_token") if name in answer.json()}
        self.secrets |= {line.partition("=")[2].partition(";")[0] for line in answer.headers.get_list("set-cookie")}
        self.client.cookies.clear()
        return answer


async def live(ask, mailbox, clock):
    """Every door, opened and refused."""
    credentials = {"identifier": EMAIL, "password": PASSWORD}
    await ask("POST", "/v1/register", json={"email": EMAIL, "password": PASSWORD, "username": "ada"})
    token, code = await mailbox.token(EMAIL), await mailbox.code(EMAIL)
    ask.secrets |= {token, code, code.replace("-", "")}
    await ask("POST", "/v1/email/verify", json={"email": EMAIL, "code": code[::-1]})
    await ask("POST", "/v1/email/verify", json={"token": token[::-1]})
    await ask("POST", "/v1/email/verify", json={"token": token})
    await ask("POST", "/v1/email/verify", json={"token": token})
    await ask("POST", "/v1/email/verify", json={"email": EMAIL, "code": code})
    await ask("POST", "/v1/register", json={"email": EMAIL, "password": PASSWORD})
    await ask("POST", "/v1/register", json={"email": EMAIL, "password": "canary-4711"})
    await ask("POST", "/v1/email/resend", json={"email": EMAIL})

    await ask("POST", "/v1/login", json={**credentials, "password": WRONG})
    await ask("POST", "/v1/login", json={**credentials, "password": {"a": WRONG}, WRONG: PASSWORD})
    await ask(
        "POST", "/v1/login", content=b'{"password": "' + WRONG.encode(), headers={"Content-Type": "application/json"}
    )
    await ask("POST", f"/v1/login?password={WRONG}", json=credentials)
    tokens = (await ask("POST", "/v1/login", json=credentials)).json()
    cookie = await ask("POST", "/v1/login", json={**credentials, "transport": "cookie"}, headers=OURS)
    value = cookie.headers["set-cookie"].partition(";")[0]
    await ask("POST", "/v1/refresh", headers={**OURS, "Cookie": value})
    await ask("POST", "/v1/refresh", headers={"Cookie": value})
    await ask("POST", "/v1/refresh", headers={**OURS, "Cookie": f"{value}; {value}"})

    renewed = (await ask("POST", "/v1/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    await ask("GET", "/v1/me", headers=bearer(renewed))
    await ask("GET", "/v1/me", headers={"Authorization": f"Bearer {renewed['access_token'][:-4]}AAAA"})
    await ask("GET", f"/v1/me?access_token={renewed['access_token']}")
    await ask("PATCH", "/v1/me", json={"display_name": "Ada", "password": PASSWORD}, headers=bearer(renewed))
    user_id = (await ask("GET", "/v1/me", headers=bearer(renewed))).json()["user_id"]
    await ask("GET", f"/v1/users/{user_id}/sessions", headers=bearer(renewed))
    await ask("GET", "/v1/me/export", headers=bearer(renewed))
    await ask("GET", f"/v1/me/export?cursor={renewed['refresh_token']}", headers=bearer(renewed))
    await ask("GET", f"/v1/users/{user_id}/sessions?cursor={renewed['refresh_token']}", headers=bearer(renewed))
    clock.advance(seconds=120)
    await ask("POST", "/v1/refresh", json={"refresh_token": tokens["refresh_token"]})  # stolen: ends the session
    await ask("POST", "/v1/refresh", json={"refresh_token": renewed["refresh_token"][:-1] + "x"})
    await ask("POST", "/v1/logout", json={"refresh_token": renewed["refresh_token"]})
    last = (await ask("POST", "/v1/login", json=credentials)).json()
    await ask("POST", "/v1/logout-all", headers=bearer(last))
    await ask("DELETE", "/v1/me", headers=bearer(last))


def is_told(secret, text):
    """As it is, in pieces that are still worth something, or as JSON spells it."""
    pieces = {secret, json.dumps(secret)[1:-1]}
    if len(secret) > 60:
        pieces |= {secret[:40], secret[-40:]}
    return [piece for piece in pieces if piece in text]


async def test_no_log_line_problem_or_metric_tells_a_secret(lines, client, mailbox, clock):
    ask = Watched(client)
    await live(ask, mailbox, clock)
    metrics = generate_latest(client.app.state.services.get(SignIn).audit.log.metrics.registry).decode()
    said = lines()
    assert said.count("security_event") >= 10, "the logs were not captured"
    assert "keyturn_security_events_total" in metrics
    assert len(ask.problems) >= 12
    assert len(ask.secrets) >= 12
    for secret in ask.secrets - {""}:
        for place, text in (("logs", said), ("problems", "\n".join(ask.problems)), ("metrics", metrics)):
            assert not is_told(secret, text), f"{place} tell a secret"
    for text in (said, metrics, "\n".join(ask.problems)):
        assert EMAIL not in text
        assert "canary-4711" not in text
    assert not re.search(r"ktr_|eyJ|\$argon2", said)


async def test_a_failing_store_and_a_bug_tell_no_secret_either(environ, open_app, monkeypatch, lines):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{probe.getsockname()[1]}")
        async with open_app(load({**environ, "KEYTURN_STORE_DEADLINE_SECONDS": "1"})) as client:
            body = {"identifier": EMAIL, "password": PASSWORD}
            assert (await client.post("/v1/login", json=body)).status_code == 503

            async def broken(_self, *, identifier, password, device, origin):
                local = password.reveal()
                raise RuntimeError(f"{len(local)} {password} token={local!r}")

            monkeypatch.setattr(SignIn, "__call__", broken)
            answer = await client.post("/v1/login", json=body)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    said = lines()
    assert "unhandled_error" in said
    assert "RuntimeError" in said
    for text in (said, answer.text):
        assert not is_told(PASSWORD, text)
        assert EMAIL not in text


def test_the_application_does_not_show_its_settings(settings):
    app = create_app(settings, Metrics(registry=CollectorRegistry()))
    assert KEY not in repr(vars(app))
