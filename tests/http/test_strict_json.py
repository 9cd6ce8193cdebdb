"""What FastAPI lets through or falls over, refused by the strict route (each fact was seen on the bare framework)."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query

from service.kernel.entropy import SystemEntropy
from service.web.edge import edge_middleware
from service.web.problems import install
from service.web.strict_json import StrictModel
from service.web.strict_route import StrictRoute

SECRET = "hunter2-hunter2"
JSON = {"content-type": "application/json"}


class Login(StrictModel):
    identifier: str
    password: str


def second_body(extra: Annotated[str, Query()] = "") -> str:
    return extra


def build_app() -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.post("/login")
    async def login(body: Login) -> dict[str, str]:
        return {"identifier": body.identifier}

    @router.post("/refresh")
    async def refresh(body: Login | None = None) -> dict[str, bool]:
        return {"empty": body is None}

    @router.get("/list")
    async def listing(limit: Annotated[int, Query(ge=1, le=100)] = 10) -> dict[str, int]:
        return {"limit": limit}

    @router.get("/with-dependency")
    async def with_dependency(extra: Annotated[str, Depends(second_body)]) -> dict[str, str]:
        return {"extra": extra}

    middleware = edge_middleware(entropy=SystemEntropy(), base_url="https://auth.example.com", body_limit_bytes=1024)
    app = FastAPI(middleware=middleware, redirect_slashes=False, openapi_url=None)
    install(app)
    app.include_router(router, prefix="/v1")
    return app


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(build_app())
    async with httpx.AsyncClient(transport=transport, base_url="https://auth.example.com") as client:
        yield client


def is_problem(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["code"] == code
    assert response.json()["status"] == status
    assert SECRET not in response.text
    return True


async def test_a_plain_body_is_read(client):
    response = await client.post("/v1/login", json={"identifier": "a", "password": SECRET})
    assert (response.status_code, response.json()) == (200, {"identifier": "a"})
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        b'{"identifier": NaN, "password": "hunter2-hunter2"}',
        b'{"identifier": Infinity, "password": "hunter2-hunter2"}',
        b'{"identifier": 1e999, "password": "hunter2-hunter2"}',
        b'{"identifier": "\\ud800", "password": "hunter2-hunter2"}',
        b'{"\\udfff": "x", "password": "hunter2-hunter2"}',
        b'{"identifier": "a\\u0000b", "password": "hunter2-hunter2"}',
        b'{"identifier": "a", "password": "hunter2-hunter2", "password": "x"}',
        b'{"identifier": "a", "password": "hunter2-hunter2"',
        b"hunter2-hunter2",
        b'\xef\xbb\xbf{"identifier": "a", "password": "hunter2-hunter2"}',
        '{"identifier": "a", "password": "hunter2-hunter2"}'.encode("utf-16"),
        b'{"identifier": "\xff", "password": "hunter2-hunter2"}',
        b'{"identifier": ' + b"[" * 900,
    ],
    ids=[
        "NaN",
        "Infinity",
        "1e999",
        "surrogate",
        "name",
        "NUL",
        "twice",
        "cut",
        "text",
        "BOM",
        "UTF-16",
        "bytes",
        "deep",
    ],
)
async def test_a_malformed_body_is_400_and_never_500(client, body):
    response = await client.post("/v1/login", content=body, headers=JSON)
    assert is_problem(response, 400, "malformed_json")


async def test_password_echo_a_422_names_the_field_and_not_the_value(client):
    response = await client.post("/v1/login", json={"identifier": {"$ne": SECRET}, "password": [SECRET]})
    assert is_problem(response, 422, "invalid_fields")
    assert {(e["field"], e["code"]) for e in response.json()["errors"]} == {
        ("identifier", "wrong_type"),
        ("password", "wrong_type"),
    }


async def test_password_echo_a_missing_neighbour_does_not_show_the_body(client):
    response = await client.post("/v1/login", json={"password": SECRET})
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"] == [{"field": "identifier", "code": "missing", "message": "This field is needed."}]


async def test_mass_assignment_an_unknown_field_is_refused(client):
    body = {"identifier": "a", "password": SECRET, "is_admin": True}
    response = await client.post("/v1/login", json=body)
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"][0]["field"] == "is_admin"
    assert response.json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize("body", [b"[]", b'"hunter2-hunter2"', b"null", b"1", b'[{"identifier":"a"}]'])
async def test_a_body_that_is_no_object_is_422(client, body):
    assert is_problem(await client.post("/v1/login", content=body, headers=JSON), 422, "invalid_fields")


async def test_an_empty_body_is_missing_where_it_is_due(client):
    response = await client.post("/v1/login", headers=JSON)
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"] == [{"field": "body", "code": "missing", "message": "This field is needed."}]


async def test_an_empty_body_is_none_where_it_is_optional(client):
    assert (await client.post("/v1/refresh")).json() == {"empty": True}
    response = await client.post("/v1/refresh", json={"identifier": "a", "password": "b"})
    assert response.json() == {"empty": False}


async def test_an_optional_body_is_read_as_strictly(client):
    response = await client.post("/v1/refresh", content=b'{"identifier": NaN}', headers=JSON)
    assert is_problem(response, 400, "malformed_json")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""]
)
async def test_simple_request_csrf_json_under_another_media_type_is_415(client, content_type):
    body = b'{"identifier": "a", "password": "hunter2-hunter2"}'
    response = await client.post("/v1/login", content=body, headers={"content-type": content_type})
    assert is_problem(response, 415, "unsupported_media_type")


async def test_two_content_types_are_415(client):
    headers = [("content-type", "application/json"), ("content-type", "text/plain")]
    assert is_problem(await client.post("/v1/login", content=b"{}", headers=headers), 415, "unsupported_media_type")


async def test_credentials_in_the_query_are_refused(client):
    response = await client.post(
        f"/v1/login?password={SECRET}", json={"identifier": "a", "password": SECRET}, headers=JSON
    )
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"][0]["field"] == "password"
    response = await client.get(f"/v1/list?access_token={SECRET}")
    assert is_problem(response, 422, "invalid_fields")


async def test_parameter_pollution_a_query_parameter_stands_once(client):
    assert (await client.get("/v1/list?limit=5")).json() == {"limit": 5}
    response = await client.get("/v1/list?limit=5&limit=6")
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"][0]["code"] == "duplicate_field"


@pytest.mark.parametrize("query", ["limit=%00", "limit=%ff"])
async def test_a_query_that_is_not_text_is_400(client, query):
    assert is_problem(await client.get(f"/v1/list?{query}"), 400, "invalid_request")


async def test_a_query_value_out_of_range_is_422(client):
    response = await client.get("/v1/list?limit=1000")
    assert is_problem(response, 422, "invalid_fields")
    assert response.json()["errors"][0] == {
        "field": "limit",
        "code": "out_of_range",
        "message": "This value is out of range.",
    }


async def test_a_parameter_of_a_dependency_is_known(client):
    assert (await client.get("/v1/with-dependency?extra=x")).json() == {"extra": "x"}


async def test_a_body_over_the_limit_is_413_declared_or_chunked(client):
    big = b'{"identifier": "' + b"a" * 2000 + b'"}'
    assert is_problem(await client.post("/v1/login", content=big, headers=JSON), 413, "payload_too_large")

    async def chunks():
        for start in range(0, len(big), 100):
            yield big[start : start + 100]

    assert is_problem(await client.post("/v1/login", content=chunks(), headers=JSON), 413, "payload_too_large")
