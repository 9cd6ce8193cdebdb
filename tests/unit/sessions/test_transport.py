from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from service.errors import BadRequest, CrossSite, Invalid
from service.kernel.secret import Secret
from service.sessions.issue import IssuedTokens
from service.sessions.schemas import RefreshBody
from service.sessions.transport import Transport
from service.web.csrf import SiteRule

OWN = "https://auth.example.com"
FRIEND = "https://app.example.com"
TRANSPORT = Transport(site_rule=SiteRule(own_origin=OWN, allowed_origins=frozenset({FRIEND})))
TEXT = "ktr_" + "0" * 101
COOKIE = ("cookie", f"__Host-keyturn_refresh={TEXT}")
PROOF = [("x-keyturn-request", "1"), ("origin", OWN)]
ISSUED = IssuedTokens(
    access_token=Secret("access"),
    expires_in_seconds=300,
    refresh_token=Secret(TEXT),
    refresh_expires_in_seconds=60,
    scope="a",
    session_id="sid",
)


def request(*headers):
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": raw})


def test_an_apps_token_comes_in_the_body():
    carried = TRANSPORT.read(request(), RefreshBody(refresh_token=TEXT))
    assert carried.token.reveal() == TEXT
    assert not carried.by_cookie


def test_a_browsers_token_comes_in_the_cookie_with_a_proof_of_the_site():
    carried = TRANSPORT.read(request(COOKIE, *PROOF), None)
    assert carried.token.reveal() == TEXT
    assert carried.by_cookie


@pytest.mark.parametrize("body", [None, RefreshBody(), RefreshBody(refresh_token=None)])
def test_a_browser_whose_cookie_is_gone_has_no_token_and_is_no_mistake(body):
    carried = TRANSPORT.read(request(*PROOF), body)
    assert (carried.token, carried.by_cookie) == (None, True)


def test_an_app_that_sends_no_token_is_told_which_field_is_missing():
    with pytest.raises(Invalid) as refusal:
        TRANSPORT.read(request(), None)
    assert [(error.field, error.code) for error in refusal.value.errors] == [("refresh_token", "missing")]


def test_a_token_in_the_body_is_meant_and_the_browsers_cookie_is_not_looked_at():
    other = "ktr_" + "1" * 101
    carried = TRANSPORT.read(request(COOKIE), RefreshBody(refresh_token=other))
    assert carried.token.reveal() == other
    assert not carried.by_cookie


def test_cookie_tossing_a_second_refresh_cookie_is_refused():
    with pytest.raises(BadRequest) as refusal:
        TRANSPORT.read(request(COOKIE, COOKIE, *PROOF), None)
    assert refusal.value.code == "invalid_cookie"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("origin", OWN)],
        [("x-keyturn-request", "1")],
        [("x-keyturn-request", "1"), ("origin", "https://evil.example")],
        [("x-keyturn-request", "1"), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        [("x-keyturn-request", "2"), ("origin", OWN)],
        [("x-keyturn-request", "1"), ("x-keyturn-request", "1"), ("origin", OWN)],
    ],
)
def test_cross_site_request_forgery_a_cookie_without_its_proof_is_refused(headers):
    with pytest.raises(CrossSite):
        TRANSPORT.read(request(COOKIE, *headers), None)


def test_an_allowed_origin_may_send_the_cookie():
    headers = [("x-keyturn-request", "1"), ("sec-fetch-site", "same-site"), ("origin", FRIEND)]
    assert TRANSPORT.read(request(COOKIE, *headers), None).by_cookie


def test_an_app_gets_its_refresh_token_in_the_body():
    response = Response()
    answer = TRANSPORT.answer(response, ISSUED, by_cookie=False)
    assert answer.refresh_token == TEXT
    assert (answer.access_token, answer.token_type, answer.expires_in) == ("access", "Bearer", 300)
    assert (answer.refresh_expires_in, answer.scope, answer.session_id) == (60, "a", "sid")
    assert "set-cookie" not in response.headers
    assert response.headers["cache-control"] == "no-store"


def test_a_browser_gets_it_in_a_cookie_that_no_script_reads_and_not_in_the_body():
    response = Response()
    answer = TRANSPORT.answer(response, ISSUED, by_cookie=True)
    assert answer.refresh_token is None
    cookie = response.headers["set-cookie"]
    assert cookie == f"__Host-keyturn_refresh={TEXT}; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert response.headers["cache-control"] == "no-store"


def test_a_cookie_of_a_session_about_to_end_still_has_a_life():
    response = Response()
    ending = IssuedTokens(**{**vars(ISSUED), "refresh_expires_in_seconds": 0})
    TRANSPORT.answer(response, ending, by_cookie=True)
    assert "Max-Age=1;" in response.headers["set-cookie"]


def test_a_token_that_was_carried_is_not_printed():
    assert TEXT not in repr(TRANSPORT.read(request(), RefreshBody(refresh_token=TEXT)))
