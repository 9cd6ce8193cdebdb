"""The composed edge on a small application: what every answer carries, and what attacks on it get."""

from __future__ import annotations

import logging
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.datastructures import MutableHeaders

from keyturn.bearer import read_bearer
from keyturn.errors import NoToken, TokenError
from service.errors import Unauthenticated, Unavailable
from service.kernel.entropy import SystemEntropy
from service.kernel.secret import Secret
from service.web.cookies import NoCookie, PresentedCookie, RefusedCookie, read_refresh_cookie, set_refresh_cookie
from service.web.csrf import SiteRule
from service.web.edge import edge_middleware
from service.web.problems import install
from service.web.strict_route import StrictRoute

BASE = "https://auth.example.com"
APP = "https://app.example.com"
CANARY = "canary-4711"
JWKS = "/.well-known/jwks.json"
RULE = SiteRule(own_origin=BASE, allowed_origins=frozenset({APP}))


def caller(request: Request) -> str:
    try:
        return read_bearer(request.headers.getlist("authorization"))
    except NoToken:
        raise Unauthenticated("no token", presented=False) from None
    except TokenError as error:
        raise Unauthenticated(error.code, presented=True) from None


def cookie_session(request: Request) -> str:
    headers = request.headers
    RULE.check(
        sec_fetch_site=headers.getlist("sec-fetch-site"),
        origin=headers.getlist("origin"),
        keyturn_request=headers.getlist("x-keyturn-request"),
    )
    match read_refresh_cookie(headers.getlist("cookie")):
        case PresentedCookie(token=token):
            return token.reveal()
        case NoCookie() | RefusedCookie():
            raise Unauthenticated("cookie", presented=False)


def build_app(*, debug: bool = False) -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/me")
    async def me(token: Annotated[str, Depends(caller)]) -> dict[str, str]:
        return {"token": token}

    @router.post("/refresh")
    async def refresh(session: Annotated[str, Depends(cookie_session)], response: Response) -> dict[str, str]:
        MutableHeaders(raw=response.raw_headers).append(
            "Set-Cookie", set_refresh_cookie(Secret("ktr_new"), max_age_seconds=60)
        )
        return {"session": session}

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError(f"ktr_{CANARY}")

    @router.get("/away")
    async def away() -> None:
        raise Unavailable("the table is away", retry_after_seconds=7)

    @router.get(JWKS)
    async def jwks(response: Response) -> dict[str, list[str]]:
        response.headers["Cache-Control"] = "public, max-age=300"
        return {"keys": []}

    middleware = edge_middleware(
        entropy=SystemEntropy(), base_url=BASE, allowed_origins=[APP], public_paths=frozenset({JWKS})
    )
    app = FastAPI(middleware=middleware, redirect_slashes=False, openapi_url=None, debug=debug)
    install(app)
    app.include_router(router)
    return app


@pytest.fixture(params=[False, True], ids=["prod", "debug"])
async def client(request):
    transport = httpx.ASGITransport(build_app(debug=request.param))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


def is_problem(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["code"] == code
    return True


async def test_an_unhandled_exception_is_a_problem_also_in_debug_mode(client, caplog):
    with caplog.at_level(logging.ERROR):
        response = await client.get("/broken", headers={"Origin": APP, "Accept": "text/html"})
    assert is_problem(response, 500, "internal_error")
    assert CANARY not in response.text
    assert "Traceback" not in response.text
    assert response.headers["access-control-allow-origin"] == APP
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/nothing", "/me/", "//me", "/me/..", "/docs", "/redoc", "/openapi.json"])
async def test_what_is_not_there_is_404_and_never_a_redirect(client, path):
    response = await client.get(path, headers={"Host": "evil.example"})
    assert is_problem(response, 404, "not_found")
    assert "location" not in response.headers


async def test_another_method_is_405_and_names_the_right_one(client):
    response = await client.request("DELETE", "/me")
    assert is_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


async def test_a_fault_of_ours_says_when_to_come_back_and_not_why(client):
    response = await client.get("/away")
    assert is_problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "7"
    assert "table" not in response.text


async def test_a_bearer_token_is_taken(client):
    response = await client.get("/me", headers={"Authorization": "bearer abc"})
    assert response.json() == {"token": "abc"}


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer  abc", "Bearer abc def", "Bearer a,b"])
async def test_bearer_without_one_token_is_refused(client, value):
    response = await client.get("/me", headers={"Authorization": value})
    assert is_problem(response, 401, "invalid_token")
    assert response.headers["www-authenticate"] == 'Bearer realm="keyturn", error="invalid_token"'


async def test_no_token_is_challenged_without_an_error(client):
    response = await client.get("/me")
    assert is_problem(response, 401, "missing_token")
    assert response.headers["www-authenticate"] == 'Bearer realm="keyturn"'


async def test_two_authorization_headers_are_refused(client):
    headers = [("Authorization", "Bearer good"), ("Authorization", "Bearer evil")]
    assert is_problem(await client.get("/me", headers=headers), 401, "invalid_token")


async def test_a_token_in_the_query_is_refused(client):
    headers = {"Authorization": "Bearer abc"}
    assert is_problem(await client.get("/me?access_token=abc", headers=headers), 422, "invalid_fields")
    assert is_problem(await client.get("/me?token=abc"), 422, "invalid_fields")


WRITE = {"Cookie": "__Host-keyturn_refresh=ktr_old", "X-Keyturn-Request": "1"}


async def test_a_cookie_carried_write_from_our_site_passes(client):
    response = await client.post("/refresh", headers={**WRITE, "Sec-Fetch-Site": "same-origin"})
    assert response.json() == {"session": "ktr_old"}
    assert response.headers["set-cookie"].startswith("__Host-keyturn_refresh=ktr_new; Max-Age=60; Path=/; Secure")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "X-Keyturn-Request": ""},
    ],
)
async def test_cross_site_request_forgery_is_refused(client, headers):
    assert is_problem(await client.post("/refresh", headers={**WRITE, **headers}), 403, "cross_site_request")


async def test_session_fixation_two_refresh_cookies_are_refused(client):
    headers = {**WRITE, "Sec-Fetch-Site": "same-origin"}
    headers["Cookie"] += "; __Host-keyturn_refresh=ktr_planted"
    assert (await client.post("/refresh", headers=headers)).status_code == 401


@pytest.mark.parametrize("path", ["/me", "/nothing", "/broken", JWKS])
async def test_every_answer_carries_the_security_headers_and_an_id(client, path):
    response = await client.get(path)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["strict-transport-security"].startswith("max-age=63072000")
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert len(response.headers["x-request-id"]) == 32
    assert "server" not in response.headers


async def test_the_keys_are_cacheable_and_readable_from_anywhere(client):
    response = await client.get(JWKS, headers={"Origin": "https://anyone.example"})
    assert response.headers["cache-control"] == "public, max-age=300"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in response.headers


async def test_a_refused_preflight_has_an_id_and_the_security_headers(client):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = await client.options("/refresh", headers=headers)
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == "nosniff"
