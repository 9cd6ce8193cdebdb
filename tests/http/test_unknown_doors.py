"""What is not there, what is there for another method, and what every answer carries."""

from __future__ import annotations

import base64
import re

import pytest

from service.settings import load
from tests.support.answers import is_problem
from tests.support.people import PASSWORD

SOMEBODY = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"
ROUTES = [
    ("GET", "/v1/me"),
    ("POST", "/v1/login"),
    ("POST", "/v1/refresh"),
    ("POST", "/v1/register"),
    ("GET", "/healthz"),
    ("GET", "/.well-known/jwks.json"),
]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v2/login",
        "/v1/login/",
        "/v1/me/",
        "/V1/LOGIN",
        "//v1/login",
        "/v1//login",
        "/docs",
        "/redoc",
        "/metrics",
        "/admin",
        "/.env",
        "/v1/users",
        "/v1/users/",
        "/dev/mail",
        "/v1/login%2f",
    ],
)
async def test_an_unknown_path_is_404_and_never_a_redirect(client, path):
    for method in ("GET", "POST"):
        answer = await client.request(method, f"http://localhost:8000{path}")
        assert answer.status_code in {404, 405}, (answer.status_code, answer.text)
        assert "location" not in answer.headers
        assert is_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_another_method_is_405(client, method, path):
    for other in ("PUT", "TRACE", "FOO"):
        answer = await client.request(other, path)
        assert is_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/me", "DELETE, GET, PATCH"),
        ("/v1/login", "POST"),
        ("/password/reset", "GET, HEAD, POST"),
        (f"/v1/users/{SOMEBODY}/sessions", "GET"),
        (f"/v1/users/{SOMEBODY}/sessions/{SOMEBODY}", "DELETE"),
    ],
)
async def test_a_405_names_every_method_that_the_path_has(client, path, allowed):
    answer = await client.put(path)
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_method_override_is_not_known(client, tokens, header):
    answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}", header: "DELETE"})
    assert answer.status_code == 200


async def test_head_answers_no_body(client):
    answer = await client.head("/v1/me")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_preflight_from_anywhere_is_not_allowed_to_send_credentials(client):
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-keyturn-request",
    }
    answer = await client.options("/v1/refresh", headers=headers)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_a_preflight_from_a_listed_origin_passes(environ, open_app):
    async with open_app(load({**environ, "KEYTURN_CORS_ORIGINS": "https://app.example.com"})) as client:
        headers = {
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-keyturn-request",
        }
        answer = await client.options("/v1/refresh", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert answer.headers["access-control-allow-credentials"] == "true"
        other = await client.options(
            "/v1/refresh", headers={**headers, "Origin": "https://app.example.com.evil.example"}
        )
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "/nowhere", "/.well-known/jwks.json"])
async def test_every_answer_has_a_name_and_the_security_headers(client, path):
    first, second = await client.get(path, headers={"X-Request-Id": "chosen-by-me"}), await client.get(path)
    names = {first.headers["x-request-id"], second.headers["x-request-id"]}
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
    for answer in (first, second):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers, "the issuer of this test is plain http"


async def test_https_is_demanded_where_the_issuer_is_https(environ, open_app):
    async with open_app(load({**environ, "KEYTURN_ISSUER": "https://auth.example.com"})) as client:
        answer = await client.get("/healthz")
        assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


async def test_a_body_over_the_limit_is_413(environ, open_app, watch):
    async with open_app(load({**environ, "KEYTURN_BODY_LIMIT_BYTES": "1024"})) as client:
        body = {"identifier": "a", "password": "b", "device_name": "d" * 2000}
        assert is_problem(await watch(client).post("/v1/login", json=body), 413, "payload_too_large")

        async def stream():
            for _ in range(10):
                yield b"x" * 1000

        headers = {"Content-Type": "application/json"}
        answer = await client.post("/v1/login", content=stream(), headers=headers)
        assert is_problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize("path", ["/v1/login", "/v1/register", "/v1/refresh", "/v1/logout", "/v1/email/verify"])
async def test_a_body_that_is_not_json_is_refused(client, path):
    form = await client.post(path, data={"identifier": "a", "password": PASSWORD})
    assert is_problem(form, 415, "unsupported_media_type")
    text = await client.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
    assert is_problem(text, 415, "unsupported_media_type")
    broken = await client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert is_problem(broken, 400, "malformed_json")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_an_unknown_query_parameter_is_refused_everywhere(client, tokens, method, path):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await client.request(method, f"{path}?password=x", headers=headers)
    assert is_problem(answer, 422, "invalid_fields", fields={("password", "unknown_field")})
    answer = await client.request(method, f"{path}?%FF", headers=headers)
    assert is_problem(answer, 400, "invalid_request")


async def test_the_document_is_there_in_dev_and_not_in_prod(client, environ, open_app, engine_url):
    assert (await client.get("/openapi.json")).status_code == 200
    prod = {
        **environ,
        "KEYTURN_ENV": "prod",
        "KEYTURN_ISSUER": "https://auth.example.com",
        "KEYTURN_MAIL_URL": "smtps://user:pw@mail.example.com",
        "KEYTURN_MAIL_FROM": "auth@example.com",
        "KEYTURN_ARGON2_MEMORY_KIB": "19456",
        "KEYTURN_ARGON2_TIME_COST": "2",
        "KEYTURN_THROTTLE": "on",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{base64.b64encode(bytes(range(32, 64))).decode()}",
        "KEYTURN_IDENTITY_KEY": base64.b64encode(bytes(range(64, 96))).decode(),
    }
    async with open_app(load(prod)) as served:
        for path in ("/openapi.json", "/docs", "/redoc", "/docs/oauth2-redirect", "/metrics", "/dev/mail"):
            assert is_problem(await served.get(path), 404, "not_found")
