"""The refresh token in a ``__Host-`` cookie: for browsers, against other sites."""

from __future__ import annotations

import pytest

from service.web.cookies import REFRESH_COOKIE
from tests.support.answers import is_empty, is_problem
from tests.support.people import PASSWORD, refresh, sign_in

OURS = {"X-Keyturn-Request": "1", "Sec-Fetch-Site": "same-origin"}
FORGERIES = {
    "no header of ours": {"Sec-Fetch-Site": "same-origin"},
    "another value": {**OURS, "X-Keyturn-Request": "0"},
    "neither origin nor fetch metadata": {"X-Keyturn-Request": "1"},
    "foreign origin": {"X-Keyturn-Request": "1", "Origin": "https://evil.example"},
    "null origin": {"X-Keyturn-Request": "1", "Origin": "null"},
    "cross-site": {**OURS, "Sec-Fetch-Site": "cross-site"},
    "same-site": {**OURS, "Sec-Fetch-Site": "same-site"},
    "same-origin by word, foreign by origin": {**OURS, "Origin": "https://evil.example"},
}
forged = pytest.mark.parametrize("headers", FORGERIES.values(), ids=FORGERIES.keys())


def cookie_of(answer):
    (line,) = [line for line in answer.headers.get_list("set-cookie") if "keyturn_refresh" in line]
    pair, *attributes = line.split("; ")
    name, _, value = pair.partition("=")
    assert name == REFRESH_COOKIE
    return value, set(attributes)


@pytest.fixture
async def cookie(client, ada):
    body = {"identifier": ada.email, "password": PASSWORD, "transport": "cookie"}
    value, _ = cookie_of(await client.post("/v1/login", json=body, headers=OURS))
    client.cookies.clear()
    return value


def with_cookie(value, headers=OURS):
    return {**headers, "Cookie": f"theme=dark; {REFRESH_COOKIE}={value}"}


async def test_the_cookie_has_every_attribute_and_the_body_no_refresh_token(client, ada):
    body = {"identifier": ada.email, "password": PASSWORD, "transport": "cookie"}
    answer = await client.post("/v1/login", json=body, headers=OURS)
    assert answer.status_code == 200
    value, attributes = cookie_of(answer)
    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict", f"Max-Age={30 * 86_400}"}
    assert value.startswith("ktr_")
    assert value not in answer.text
    assert set(answer.json()) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_expires_in",
        "scope",
        "session_id",
    }
    assert answer.headers["cache-control"] == "no-store"


@forged
async def test_login_csrf_another_site_cannot_sign_a_visitor_in(client, ada, headers):
    body = {"identifier": ada.email, "password": PASSWORD, "transport": "cookie"}
    answer = await client.post("/v1/login", json=body, headers=headers)
    assert is_problem(answer, 403, "cross_site_request")
    assert "set-cookie" not in answer.headers


async def test_a_refresh_by_cookie_moves_the_cookie_on(client, cookie):
    answer = await client.post("/v1/refresh", headers=with_cookie(cookie))
    assert answer.status_code == 200, answer.text
    value, attributes = cookie_of(answer)
    assert value not in {"", cookie}
    assert attributes >= {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert "refresh_token" not in answer.json()


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}], ids=["no body", "empty", "null"])
async def test_a_body_without_a_token_leaves_the_word_to_the_cookie(client, cookie, body):
    answer = await client.post("/v1/refresh", json=body, headers=with_cookie(cookie))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/v1/refresh", "/v1/logout"])
@forged
async def test_csrf_a_cookie_alone_does_nothing(client, cookie, path, headers):
    answer = await client.post(path, headers=with_cookie(cookie, headers))
    assert is_problem(answer, 403, "cross_site_request")
    assert "set-cookie" not in answer.headers
    assert (await client.post("/v1/refresh", headers=with_cookie(cookie))).status_code == 200


async def test_a_listed_origin_may_use_the_cookie(environ, open_app, client, cookie):
    from service.settings import load

    async with open_app(load({**environ, "KEYTURN_CORS_ORIGINS": "https://app.example.com"})) as other:
        headers = {**OURS, "Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.com"}
        answer = await other.post("/v1/refresh", headers=with_cookie(cookie, headers))
        assert answer.status_code == 200, answer.text
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", ["/v1/refresh", "/v1/logout"])
async def test_cookie_tossing_two_cookies_are_refused_though_they_be_equal(client, cookie, path):
    headers = {**OURS, "Cookie": f"{REFRESH_COOKIE}={cookie}; {REFRESH_COOKIE}={cookie}"}
    answer = await client.post(path, headers=headers)
    assert is_problem(answer, 400, "invalid_cookie")


async def test_a_cookie_that_is_no_token_is_refused(client):
    assert is_problem(await client.post("/v1/refresh", headers=with_cookie('"quoted"')), 400, "invalid_cookie")


async def test_the_body_wins_over_the_cookie_and_the_cookie_stays(client, ada, cookie):
    tokens = await sign_in(client, ada.email)
    body = {"refresh_token": tokens["refresh_token"]}
    answer = await client.post("/v1/refresh", json=body, headers=with_cookie(cookie))
    assert answer.json()["session_id"] == tokens["session_id"]
    assert "refresh_token" in answer.json()
    assert "set-cookie" not in answer.headers
    assert is_empty(await client.post("/v1/logout", json=body, headers=with_cookie(cookie)))
    assert (await client.post("/v1/refresh", headers=with_cookie(cookie))).status_code == 200


async def test_a_refused_refresh_leaves_the_cookie_alone(client, cookie):
    await client.post("/v1/logout", headers=with_cookie(cookie))
    answer = await client.post("/v1/refresh", headers=with_cookie(cookie))
    assert is_problem(answer, 401, "invalid_grant")
    assert "set-cookie" not in answer.headers


async def test_a_browser_without_a_cookie_hears_that_it_is_signed_out(client):
    assert is_problem(await client.post("/v1/refresh", headers=OURS), 401, "invalid_grant")


async def test_a_logout_by_cookie_ends_the_session_and_removes_the_cookie(client, cookie):
    answer = await client.post("/v1/logout", headers=with_cookie(cookie))
    assert is_empty(answer)
    value, attributes = cookie_of(answer)
    assert value == ""
    assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=0"}
    assert is_problem(await refresh(client, cookie), 401, "invalid_grant")


async def test_a_logout_without_a_cookie_is_done_already(client):
    assert is_empty(await client.post("/v1/logout", headers=OURS))
