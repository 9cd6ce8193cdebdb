"""``POST /v1/password/check`` as a form sees it."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

import service.passwords.routes
from service.passwords.checker_open import PasswordRules, open_checker
from service.web import problems
from service.web.provide import Services
from tests.support.people import PASSWORD

PATH = "/v1/password/check"


@pytest.fixture
async def client(clock):
    app = FastAPI()
    problems.install(app)
    app.include_router(service.passwords.routes.router)
    rules = PasswordRules(product="Acme", breach_list="offline")
    async with open_checker(rules, clock=clock, count=lambda _outcome: None) as checker:
        app.state.services = Services(checker)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            yield client


async def ask(client, password, **fields):
    answer = await client.post(PATH, json={"password": password, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_good_password_may_be_set(client):
    assert await ask(client, PASSWORD) == {"ok": True, "reasons": [], "score": 4}


async def test_a_bad_one_may_not_and_the_form_hears_why(client):
    assert await ask(client, "tiny") == {
        "ok": False,
        "reasons": [{"code": "password_too_short", "message": "Use at least 15 characters."}],
        "score": 1,
    }
    body = await ask(client, "password1234567")
    assert [reason["code"] for reason in body["reasons"]] == ["password_breached"]


async def test_the_names_beside_it_count(client):
    assert (await ask(client, "alice-liddell-1"))["score"] == 4
    for fields in ({"email": "alice.liddell@example.com"}, {"username": "alice_liddell"}):
        body = await ask(client, "alice-liddell-1", **fields)
        assert body["ok"] is False
        assert body["reasons"][0]["code"].startswith("password_like_")


async def test_names_that_are_half_typed_are_no_reason_to_refuse(client):
    assert (await ask(client, PASSWORD, email="alice@", username="a@"))["ok"] is True
    assert (await ask(client, PASSWORD, email="", username=""))["ok"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": ""},
        {"password": None},
        {"password": ["correct horse"]},
        {"password": "x" * 1025},
        {"password": PASSWORD, "email": 7},
        {"password": PASSWORD, "score": 4},
    ],
)
async def test_anything_but_the_declared_texts_is_refused_without_an_echo(client, body):
    answer = await client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_fields")
    assert "horse" not in answer.text


async def test_the_answer_never_holds_the_password(client):
    for password in ("password1234567", "zzzzzzzzzzzzzzzzz", "alice.liddell12345"):
        answer = await client.post(PATH, json={"password": password, "email": "alice.liddell@example.com"})
        assert password not in answer.text


async def test_it_is_a_post_only(client):
    assert (await client.get(PATH)).status_code == 405
