"""What is traced while people register, sign in, refresh and are refused; and what must not be in it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx
import pytest

import service.base
from service.telemetry.dynamo_spans import traced_client
from service.web.request_spans import RequestSpans
from tests.support.accounts import make_person
from tests.support.people import PASSWORD, bearer, refresh, sign_in
from tests.unit.telemetry.conftest import make_spans

_CANARY = "canary-4711"


@pytest.fixture
def spans():
    spans = make_spans()
    yield spans
    spans.tracing.close()


@pytest.fixture
async def traced(base, settings, open_app, spans, monkeypatch):
    """A client of the service with spans at its edge and around its store."""
    real = service.base.open_lean_client

    @asynccontextmanager
    async def open_traced(**options):
        async with real(**options) as client:
            yield traced_client(client, spans.tracing)

    monkeypatch.setattr(service.base, "open_lean_client", open_traced)
    async with open_app(settings) as plain:
        transport = httpx.ASGITransport(RequestSpans(plain.app, tracing=spans.tracing))
        async with httpx.AsyncClient(transport=transport, base_url=settings.issuer) as client:
            client.app = plain.app
            yield client


async def test_leak_no_password_token_name_or_path_is_in_any_span(traced, spans, mailbox):
    person = await make_person(traced)
    tokens = await sign_in(traced, person.email, device_name=_CANARY)
    renewed = (await refresh(traced, tokens["refresh_token"])).json()
    wrong = {"identifier": person.email, "password": f"{_CANARY} wrong password"}
    assert (await traced.post("/v1/login", json=wrong)).status_code == 401
    assert (await refresh(traced, "ktr_" + _CANARY)).status_code == 401
    assert (await traced.get(f"/{_CANARY}?token={_CANARY}", headers={"User-Agent": _CANARY})).status_code == 404
    assert (await traced.get("/v1/me", headers=bearer(renewed))).status_code == 200
    new = {"email": f"{_CANARY}@example.com", "password": f"{_CANARY} {PASSWORD}"}
    assert (await traced.post("/v1/register", json=new)).status_code == 202
    text = spans.text
    secrets = (
        *(tokens["access_token"], tokens["refresh_token"], renewed["access_token"], renewed["refresh_token"]),
        *(_CANARY, PASSWORD, person.email, person.username, "argon2", "eyJ", "ktr_"),
    )
    assert [secret for secret in secrets if secret in text] == []
    names = {span.name for span in spans.all}
    assert {
        "POST /v1/login",
        "POST /v1/refresh",
        "GET /v1/me",
        "GET",
        "DynamoDB PutItem",
        "DynamoDB UpdateItem",
    } <= names


async def test_a_refresh_is_one_trace_with_its_two_calls(traced, spans):
    person = await make_person(traced)
    tokens = await sign_in(traced, person.email)
    spans.exporter.clear()
    assert (await refresh(traced, tokens["refresh_token"])).status_code == 200
    request = next(span for span in spans.all if span.name == "POST /v1/refresh")
    calls = {span.name: span for span in spans.all if span.parent and span.parent.span_id == request.context.span_id}
    assert calls.keys() == {"DynamoDB UpdateItem", "DynamoDB GetItem"}
    assert {span.attributes["keyturn.dynamodb.units"] for span in calls.values()} == {1.0}


async def test_a_refused_rotation_is_not_a_failed_span(traced, spans):
    person = await make_person(traced)
    tokens = await sign_in(traced, person.email)
    assert (await refresh(traced, tokens["refresh_token"])).status_code == 200
    spans.exporter.clear()
    assert (await refresh(traced, tokens["refresh_token"])).status_code == 200
    update = next(span for span in spans.all if span.name == "DynamoDB UpdateItem")
    assert update.attributes["keyturn.dynamodb.refused"] is True
    assert update.status.is_unset
