"""A Django site with its sessions in DynamoDB, met by a browser, in sync and in async views."""

from __future__ import annotations

import base64
import threading

import pytest
from django.contrib.auth import alogin, alogout, get_user_model, login, logout, update_session_auth_hash
from django.core.exceptions import ImproperlyConfigured
from django.http import JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from keyturn.websession import django_settings, people
from keyturn.websession.errors import SessionUnavailable
from tests.support.django_base import set_up
from tests.websession.conftest import ABSOLUTE, IDLE

set_up()

import keyturn.websession.django as engine  # noqa: E402  Django has to be configured first

NAME = "__Host-session"
KEYS = f"1:{base64.b64encode(bytes(range(32))).decode()}"


class Member(get_user_model()):
    """A user of a site that keeps its users elsewhere: nothing here goes to a database."""

    class Meta:
        proxy = True
        app_label = "auth"

    def save(self, **_):
        pass


class Members:
    def get_user(self, user_id):
        return Member(pk=user_id, username=str(user_id))

    async def aget_user(self, user_id):
        return self.get_user(user_id)


def member(number):
    return Member(pk=int(number), username=str(number))


VIEWS = {}


def sign_in(request, number):
    login(request, member(number), backend="tests.websession.test_django.Members")
    return JsonResponse({})


async def sign_in_async(request, number):
    await alogin(request, member(number), backend="tests.websession.test_django.Members")
    return JsonResponse({})


def sign_out(request):
    logout(request)
    return JsonResponse({})


async def sign_out_async(request):
    await alogout(request)
    return JsonResponse({})


def whoami(request):
    data = {name: value for name, value in request.session.items() if not name.startswith("_auth")}
    return JsonResponse({"user": request.user.pk, "data": data})


def put(request, name, value):
    request.session[name] = value
    return JsonResponse({})


def do(request, name):
    return JsonResponse(VIEWS[name](request) or {})


urlpatterns = [
    path("sign-in/<number>", sign_in),
    path("sign-in-async/<number>", sign_in_async),
    path("sign-out", sign_out),
    path("sign-out-async", sign_out_async),
    path("whoami", whoami),
    path("put/<name>/<value>", put),
    path("do/<name>", do),
    path("static-page", lambda _: JsonResponse({})),
]


@pytest.fixture
def site(sessions, table_name, engine_url):
    setting = {
        "table": table_name,
        "keys": KEYS,
        "idle_seconds": sessions.lifetimes.idle_seconds,
        "absolute_seconds": sessions.lifetimes.absolute_seconds,
        "max_bytes": 4096,
        "endpoint_url": engine_url,
    }
    with override_settings(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[
            "keyturn.websession.django.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        AUTHENTICATION_BACKENDS=["tests.websession.test_django.Members"],
        SESSION_ENGINE="keyturn.websession.django",
        SESSION_COOKIE_NAME=NAME,
        SESSION_COOKIE_SECURE=True,
        KEYTURN_WEBSESSION=setting,
    ):
        yield setting
        if django_settings.site_sessions.cache_info().currsize:
            django_settings.site_sessions().table.client.close()


@pytest.fixture
def on_test_table(site, sessions, monkeypatch):
    """The site on the table and the clock of this test."""
    for module in (engine, django_settings):
        monkeypatch.setattr(module, "site_sessions", lambda: sessions)
    VIEWS.clear()


@pytest.fixture
def browser(on_test_table):
    return Client(raise_request_exception=False)


def cookie_of(browser):
    return browser.cookies[NAME].value if NAME in browser.cookies else None


def with_cookie(value):
    other = Client(raise_request_exception=False)
    other.cookies[NAME] = value
    return other


class TestCookie:
    def test_it_is_for_this_host_over_https_and_not_for_scripts(self, browser):
        answer = browser.post("/put/a/1")
        cookie = answer.cookies[NAME]
        assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
        assert (cookie["samesite"], cookie["domain"]) == ("Lax", "")
        assert answer["Cache-Control"] == "no-store"
        assert "Cookie" in answer["Vary"]

    def test_two_of_them_are_none(self, browser, sessions):
        mine, planted = (sessions.start({"whose": whose}).id.cookie for whose in ("mine", "planted"))
        answer = browser.get("/whoami", headers={"Cookie": f"{NAME}={mine}; {NAME}={planted}"})
        assert answer.json() == {"user": None, "data": {}}

    @pytest.mark.parametrize("value", ["x", "A" * 64])
    def test_what_somebody_made_up_is_no_session_and_no_error(self, browser, value):
        assert with_cookie(value).get("/whoami").json() == {"user": None, "data": {}}


class TestSignIn:
    def test_an_id_that_was_planted_before_is_worth_nothing_after(self, browser):
        browser.post("/put/cart/1")
        planted = cookie_of(browser)
        browser.post("/sign-in/5")
        assert browser.get("/whoami").json() == {"user": 5, "data": {"cart": "1"}}
        assert cookie_of(browser) != planted
        assert with_cookie(planted).get("/whoami").json() == {"user": None, "data": {}}

    def test_signing_in_again_gives_another_id_and_a_new_life(self, browser, clock, sessions):
        """Django itself gives none when the same user signs in again."""
        browser.post("/sign-in/5")
        before = cookie_of(browser)
        clock.advance(seconds=60)
        browser.post("/sign-in/5")
        assert cookie_of(browser) != before
        assert sessions.open(before) is None
        assert sessions.open(cookie_of(browser)).life.created_ms == clock.now_ms()

    def test_nothing_of_another_user_is_carried_over(self, browser):
        browser.post("/sign-in/5")
        browser.post("/put/secret/of-5")
        before = cookie_of(browser)
        browser.post("/sign-in/6")
        assert browser.get("/whoami").json() == {"user": 6, "data": {}}
        assert with_cookie(before).get("/whoami").json()["user"] is None

    def test_a_user_who_is_put_in_by_hand_gets_another_id_and_a_new_life_too(self, browser, sessions, clock):
        browser.post("/put/cart/1")
        before = cookie_of(browser)
        clock.advance(seconds=60)
        backend = "tests.websession.test_django.Members"
        VIEWS["by-hand"] = lambda request: request.session.update({"_auth_user_id": "7", "_auth_user_backend": backend})
        browser.post("/do/by-hand")
        assert cookie_of(browser) != before
        assert sessions.open(cookie_of(browser)).subject == "7"
        assert sessions.open(cookie_of(browser)).life.created_ms == clock.now_ms()
        assert sessions.open(before) is None

    def test_a_user_under_a_name_of_the_sites_own_gets_another_id_too(self, browser, sessions, subject):
        browser.post("/put/cart/1")
        before = cookie_of(browser)
        browser.post(f"/put/user_id/{subject}")
        assert sessions.open(before) is None
        assert len(people.list_all(sessions, subject)) == 1

    def test_who_is_signed_in_with_django_stays_it_whatever_such_a_name_says(self, browser, sessions):
        browser.post("/sign-in/5")
        before = cookie_of(browser)
        browser.post("/put/_user_id/victim")
        assert (cookie_of(browser), sessions.open(before).subject) == (before, "5")

    def test_a_changed_password_gives_another_id_and_no_longer_life(self, browser, clock, sessions):
        browser.post("/sign-in/5")
        before = sessions.open(cookie_of(browser))
        clock.advance(seconds=60)
        VIEWS["change"] = lambda request: update_session_auth_hash(request, request.user)
        browser.post("/do/change")
        after = sessions.open(cookie_of(browser))
        assert after.id != before.id
        assert after.life == before.life
        assert sessions.open(before.id.cookie) is None

    def test_where_the_view_fails_nobody_is_signed_in_and_the_old_session_stands(self, browser):
        browser.post("/put/cart/1")

        def fail(request):
            login(request, member(5), backend="tests.websession.test_django.Members")
            raise ArithmeticError

        VIEWS["fail"] = fail
        assert browser.post("/do/fail").status_code == 500
        assert browser.get("/whoami").json() == {"user": None, "data": {"cart": "1"}}


class TestSignOut:
    def test_the_old_cookie_is_dead_and_the_browser_forgets_it(self, browser):
        browser.post("/sign-in/5")
        stolen = cookie_of(browser)
        answer = browser.post("/sign-out")
        assert answer.cookies[NAME]["max-age"] == 0
        assert answer.cookies[NAME]["secure"]
        assert with_cookie(stolen).get("/whoami").json()["user"] is None

    def test_a_request_that_ends_later_does_not_sign_in_again(self, browser, sessions):
        browser.post("/sign-in/5")
        id_ = cookie_of(browser)
        reached, go_on = threading.Event(), threading.Event()

        def slow(request):
            request.session["late"] = True
            reached.set()
            assert go_on.wait(20)

        VIEWS["slow"] = slow
        answers = []
        thread = threading.Thread(target=lambda: answers.append(with_cookie(id_).post("/do/slow")))
        thread.start()
        assert reached.wait(20)
        browser.post("/sign-out")
        go_on.set()
        thread.join(20)
        assert answers[0].status_code == 400
        assert NAME not in answers[0].cookies
        assert sessions.open(id_) is None

    def test_everywhere_is_every_browser(self, browser, sessions):
        other = Client()
        for one in (browser, other):
            one.post("/sign-in/8")
        assert people.end_all(sessions, "8") == 2
        assert [one.get("/whoami").json()["user"] for one in (browser, other)] == [None, None]

    def test_a_new_id_does_not_bring_back_what_was_signed_out(self, browser, sessions):
        browser.post("/sign-in/5")
        id_ = cookie_of(browser)

        def cycle(request):
            request.session.cycle_key()
            assert request.session["_auth_user_id"] == "5"
            with_cookie(id_).post("/sign-out")

        VIEWS["cycle"] = cycle
        answer = browser.post("/do/cycle")
        assert answer.status_code == 400
        assert NAME not in answer.cookies


GIVES_A_NEW_ID = {
    "cycle_key": lambda request: request.session.cycle_key(),
    "update_session_auth_hash": lambda request: update_session_auth_hash(request, request.user),
    "another user by hand": lambda request: request.session.update({"_auth_user_id": "6"}),
}


class TestExpiredMeanwhile:
    """A request read the session while it lived, took long, and gives it a new id when its life is over."""

    @pytest.mark.parametrize("lived", [IDLE, ABSOLUTE])
    @pytest.mark.parametrize("way", GIVES_A_NEW_ID)
    def test_it_stays_over_and_no_new_one_begins(self, browser, clock, sessions, way, lived):
        browser.post("/sign-in/5")
        id_ = cookie_of(browser)

        def slow(request):
            assert request.user.pk == 5
            clock.advance(seconds=lived)
            GIVES_A_NEW_ID[way](request)

        VIEWS["slow"] = slow
        answer = browser.post("/do/slow")
        assert answer.status_code == 400
        assert NAME not in answer.cookies
        assert sessions.open(id_) is None
        assert people.list_all(sessions, "5") == people.list_all(sessions, "6") == ()

    def test_who_signs_in_meanwhile_begins_anew(self, browser, clock):
        """Their password was looked at just now; that a visitor's session ran out meanwhile takes nothing from it."""
        browser.post("/put/cart/1")

        def slow(request):
            clock.advance(seconds=IDLE)
            login(request, member(5), backend="tests.websession.test_django.Members")

        VIEWS["slow"] = slow
        assert browser.post("/do/slow").status_code == 200
        assert browser.get("/whoami").json()["user"] == 5


class TestWriting:
    def test_a_page_without_a_session_costs_no_request(self, browser, table):
        browser.post("/put/a/1")
        table.calls.clear()
        browser.get("/static-page")
        assert table.calls == []

    def test_use_keeps_it_alive_with_few_writes(self, browser, clock, table):
        browser.post("/sign-in/5")
        table.calls.clear()
        for _ in range(20):
            clock.advance(seconds=IDLE / 20)
            assert browser.get("/whoami").json()["user"] == 5
        assert table.calls.count("replace") == 10

    def test_an_expiry_of_ones_own_shortens_the_idle_life_and_never_lengthens_it(self, browser, clock, sessions):
        for seconds, kept in ((60, 60), (10 * IDLE, IDLE)):
            VIEWS["expiry"] = lambda request, seconds=seconds: request.session.set_expiry(seconds)
            browser.post("/do/expiry")
            assert sessions.open(cookie_of(browser)).idle_expires_ms == clock.now_ms() + kept * 1000

    def test_two_parallel_requests_keep_both_changes(self, browser):
        browser.post("/put/a/1")
        id_ = cookie_of(browser)

        def both(request):
            request.session["b"] = "2"
            with_cookie(id_).post("/put/c/3")

        VIEWS["both"] = both
        browser.post("/do/both")
        assert browser.get("/whoami").json()["data"] == {"a": "1", "b": "2", "c": "3"}

    def test_clearing_keeps_the_session_and_nothing_in_it(self, browser, sessions):
        browser.post("/put/a/1")
        VIEWS["clear"] = lambda request: request.session.clear()
        browser.post("/do/clear")
        assert sessions.open(cookie_of(browser)).data == {}

    def test_what_cannot_be_kept_is_the_sites_error_and_changes_nothing(self, browser):
        browser.post("/put/a/1")
        for value in ("x" * 5000, object()):
            VIEWS["bad"] = lambda request, value=value: request.session.update({"bad": value})
            assert browser.post("/do/bad").status_code == 500
        assert browser.get("/whoami").json()["data"] == {"a": "1"}


class TestStoreAway:
    @pytest.fixture
    def away(self, table):
        def fail():
            raise SessionUnavailable("away")

        return lambda *names: table.before.update(dict.fromkeys(names, fail))

    @pytest.mark.parametrize(
        ("where", "fails"),
        [
            ("/put/b/1", "get"),
            ("/put/b/1", "replace"),
            ("/sign-in/6", "create"),
            ("/sign-in/6", "delete"),
            ("/sign-out", "delete"),
        ],
    )
    def test_the_answer_is_503_and_the_cookie_stays(self, browser, away, where, fails):
        browser.post("/sign-in/5")
        kept = cookie_of(browser)
        away(fails)
        answer = browser.post(where)
        assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "5", "no-store")
        assert NAME not in answer.cookies
        assert with_cookie(kept).get("/whoami").json()["user"] in {5, None}

    def test_a_sign_out_that_was_not_written_is_not_said_to_be_one(self, browser, away):
        browser.post("/sign-in/5")
        away("delete")
        assert browser.post("/sign-out").status_code == 503
        assert browser.get("/whoami").json()["user"] == 5


class TestStore:
    """As Django's own backends are used outside of a request."""

    def test_create_exists_load_delete(self, on_test_table):
        store = engine.SessionStore()
        store["a"] = 1
        store.create()
        assert store.exists(store.session_key)
        again = engine.SessionStore(store.session_key)
        assert again["a"] == 1
        again.delete()
        assert not store.exists(store.session_key)
        assert engine.SessionStore(store.session_key).load() == {}

    def test_saving_what_is_gone_is_refused(self, on_test_table):
        store = engine.SessionStore()
        store["a"] = 1
        store.save()
        other = engine.SessionStore(store.session_key)
        other.clear()
        store.flush()
        assert store.session_key is None
        with pytest.raises(engine.UpdateError):
            other.save()

    def test_cycling_keeps_the_data_and_not_the_id(self, on_test_table):
        store = engine.SessionStore()
        store["a"] = 1
        store.save()
        before = store.session_key
        store.cycle_key()
        store.save()
        assert store.session_key != before
        assert not store.exists(before)
        assert store["a"] == 1
        engine.SessionStore.clear_expired()


async def test_async_views_sign_in_and_out(on_test_table, sessions):
    browser = AsyncClient()
    await browser.post("/put/cart/1")
    planted = cookie_of(browser)
    await browser.post("/sign-in-async/5")
    assert (await browser.get("/whoami")).json() == {"user": 5, "data": {"cart": "1"}}
    signed_in = cookie_of(browser)
    assert sessions.open(planted) is None
    await browser.post("/sign-out-async")
    assert sessions.open(signed_in) is None
    assert (await browser.get("/whoami")).json()["user"] is None


class TestSettings:
    def test_a_site_runs_on_its_settings_alone(self, site):
        browser = Client()
        browser.post("/sign-in/5")
        assert browser.get("/whoami").json()["user"] == 5

    @pytest.mark.parametrize(
        "wrong",
        [
            {"SESSION_COOKIE_NAME": "sessionid"},
            {"SESSION_COOKIE_SECURE": False},
            {"SESSION_COOKIE_HTTPONLY": False},
            {"SESSION_COOKIE_SAMESITE": "None"},
            {"SESSION_COOKIE_SAMESITE": False},
            {"SESSION_COOKIE_PATH": "/app"},
            {"SESSION_COOKIE_DOMAIN": "example.com"},
            {"KEYTURN_WEBSESSION": None},
            {"KEYTURN_WEBSESSION": {"table": "t"}},
            {"KEYTURN_WEBSESSION": {"table": "t", "keys": "short"}},
            {"KEYTURN_WEBSESSION": {"table": "t", "keys": KEYS, "idle": 1}},
            {"KEYTURN_WEBSESSION": {"table": "t", "keys": KEYS, "idle_seconds": 0}},
            {"KEYTURN_WEBSESSION": {"table": "t", "keys": KEYS, "user_keys": "member_id"}},
        ],
    )
    def test_an_unsafe_or_missing_one_stops_the_site(self, site, wrong):
        with override_settings(**wrong), pytest.raises(ImproperlyConfigured) as refused:
            Client().get("/whoami")
        assert "KEYTURN_WEBSESSION" in str(refused.value) or "SESSION_COOKIE_" in str(refused.value)
        assert KEYS not in str(refused.value)

    def test_while_debugging_plain_http_is_let_through(self, site):
        with override_settings(DEBUG=True, SESSION_COOKIE_SECURE=False, SESSION_COOKIE_NAME="sessionid"):
            assert django_settings.check_cookie() is None
