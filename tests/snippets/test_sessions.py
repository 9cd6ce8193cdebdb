"""Sessions: what sign-out, expiry and sign-in promise."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import flask
import pytest
from django.http import JsonResponse
from django.test import Client, override_settings
from django.urls import path

from keyturn.websession.ids import SessionId
from tests.snippets.conftest import must, sides
from tests.snippets.copied import flask_cookie, flask_sessions
from tests.support.django_base import set_up
from tests.websession.thief import cookies_from

set_up()

import keyturn.websession.django as keyturn_engine  # noqa: E402  Django has to be configured first
from keyturn.websession.flask import WebSessions  # noqa: E402
from tests.snippets.copied import django_sessions  # noqa: E402


class FlaskSite:
    """A Flask site, and its browsers."""

    def __init__(self, app, cookie):
        self.app, self.cookie = app, cookie

    def browser(self, cookie=None):
        browser = self.app.test_client()
        if cookie is not None:
            browser.set_cookie(self.cookie, cookie, domain="localhost")
        return browser

    def cookie_of(self, browser):
        return browser.get_cookie(self.cookie, "localhost").value


def whoami(browser):
    return browser.get("/whoami").json["user"]


@pytest.fixture
def cookie_snippet():
    return FlaskSite(flask_cookie.create_app(), "session")


def routes(app):
    """The views of a site as they are copied. They are the same on both sides."""
    app.post("/sign-in/<user>", endpoint="in")(lambda user: flask.session.update(user_id=user) or {})
    app.post("/sign-out", endpoint="out")(lambda: flask.session.clear() or {})
    app.get("/whoami", endpoint="whoami")(lambda: {"user": flask.session.get("user_id")})
    app.post("/visit", endpoint="visit")(lambda: flask.session.update(visited=True) or {})


@pytest.fixture
def table_snippet(snippet_sessions, clock, monkeypatch):
    app = flask.Flask(__name__)
    app.session_interface = flask_sessions.DynamoSessionInterface(snippet_sessions)
    monkeypatch.setattr(flask_sessions, "time", SimpleNamespace(time=lambda: clock.now_ms() / 1000))
    routes(app)
    return FlaskSite(app, "session")


@pytest.fixture
def keyturn_flask(sessions):
    app = flask.Flask(__name__)
    WebSessions(sessions).init_app(app)
    routes(app)
    return FlaskSite(app, "__Host-session")


def against(snippet, fault):
    """Runs a test on a site that is made like the snippet, and on one that is made with Keyturn."""
    return pytest.mark.parametrize("side", sides(fault, snippet=snippet, keyturn="keyturn_flask"), indirect=True)


@against("cookie_snippet", "the session is the cookie: clearing it only asks this browser to forget it")
def test_a_cookie_that_was_copied_before_sign_out_is_worth_nothing_after(side):
    browser = side.browser()
    browser.post("/sign-in/ada")
    stolen = side.cookie_of(browser)
    assert whoami(side.browser(stolen)) == "ada"
    browser.post("/sign-out")
    must(whoami(side.browser(stolen)) is None)


@against("table_snippet", "nobody compares the time: DynamoDB deletes by TTL when it finds the time, days later")
def test_an_expired_session_is_over_though_its_item_is_still_there(side, clock):
    browser = side.browser()
    browser.post("/sign-in/ada")
    clock.advance(seconds=flask_sessions.LIFETIME + 1)
    must(whoami(browser) is None)


@against("table_snippet", "the id of the visitor becomes that of the user: whoever planted it has it too")
def test_an_id_that_was_planted_before_sign_in_is_worth_nothing_after(side):
    attacker = side.browser()
    attacker.post("/visit")
    victim = side.browser(side.cookie_of(attacker))
    victim.post("/sign-in/ada")
    assert whoami(victim) == "ada"
    must(whoami(attacker) is None)


@against(
    "table_snippet", "ids lie in the table as they are: a backup, an export or a log of keys signs in as everybody"
)
def test_who_reads_the_table_can_sign_in_as_nobody(side, request, dynamodb, table_name):
    browser = side.browser()
    browser.post("/sign-in/ada")
    name = request.getfixturevalue("snippet_sessions").name if side.cookie == "session" else table_name
    found = dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]
    # Of Keyturn's table only what has the form of an id: the rest is refused unread, and there are many.
    words = {text for text in cookies_from(found) if side.cookie == "session" or SessionId.parse(text)}
    assert words
    must("ada" not in [whoami(side.browser(word)) for word in words if word.isascii() and word.isprintable()])


GATE = SimpleNamespace(reached=None, go_on=None)


def enter(request, user):
    request.session["user_id"] = user
    return JsonResponse({})


def leave(request):
    request.session.flush()
    return JsonResponse({})


def slow(request):
    request.session["visited"] = True
    GATE.reached.set()
    assert GATE.go_on.wait(20)
    return JsonResponse({})


urlpatterns = [
    path("sign-in/<user>", enter),
    path("sign-out", leave),
    path("slow", slow),
    path("whoami", lambda request: JsonResponse({"user": request.session.get("user_id")})),
]


@pytest.fixture
def django_snippet(snippet_sessions, monkeypatch):
    monkeypatch.setattr(django_sessions.SessionStore, "table", snippet_sessions)
    return {
        "SESSION_ENGINE": "tests.snippets.copied.django_sessions",
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
    }


@pytest.fixture
def django_keyturn(sessions, monkeypatch):
    monkeypatch.setattr(keyturn_engine, "site_sessions", lambda: sessions)
    return {
        "SESSION_ENGINE": "keyturn.websession.django",
        "MIDDLEWARE": ["keyturn.websession.django.SessionMiddleware"],
    }


@pytest.fixture
def django_site(side):
    GATE.reached, GATE.go_on = threading.Event(), threading.Event()
    with override_settings(ROOT_URLCONF=__name__, SESSION_COOKIE_NAME="__Host-session", **side):
        yield


LATE = sides(
    "save() puts the item whether it is there or not: whoever is late brings it back",
    snippet="django_snippet",
    keyturn="django_keyturn",
)


@pytest.mark.parametrize("side", LATE, indirect=True)
def test_a_request_that_still_runs_at_sign_out_does_not_sign_in_again(django_site):
    browser = Client()
    browser.post("/sign-in/ada")
    copied = Client()
    copied.cookies = browser.cookies.copy()
    thread = threading.Thread(target=copied.post, args=("/slow",))
    thread.start()
    assert GATE.reached.wait(20)
    stolen = browser.cookies["__Host-session"].value
    browser.post("/sign-out")
    GATE.go_on.set()
    thread.join(20)
    thief = Client()
    thief.cookies["__Host-session"] = stolen
    must(thief.get("/whoami").json()["user"] is None)
