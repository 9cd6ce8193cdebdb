"""A Flask site with its sessions in DynamoDB, met by a browser."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

import flask
import pytest

from keyturn.websession import people, users
from keyturn.websession.cookie import Cookie
from keyturn.websession.errors import SessionNotJson, SessionTooLarge, SessionUnavailable
from keyturn.websession.flask import WebSessions, sign_in, sign_out, sign_out_everywhere, signed_in
from tests.websession.conftest import ABSOLUTE, IDLE

NAME = "__Host-session"


@pytest.fixture
def extension(sessions):
    return WebSessions(sessions)


@pytest.fixture
def app(extension):
    app = flask.Flask(__name__)
    extension.init_app(app)
    app.views = {}
    add_routes(app)
    return app


def add_routes(app):
    app.post("/sign-in/<subject>", endpoint="1")(lambda subject: sign_in(subject) or {})
    app.post("/sign-out", endpoint="2")(lambda: sign_out() or {})
    app.post("/sign-out-everywhere", endpoint="3")(lambda: {"ended": sign_out_everywhere()})
    app.get("/whoami", endpoint="4")(lambda: {"user": signed_in(), "data": dict(flask.session)})
    app.post("/put/<name>/<value>", endpoint="5")(lambda name, value: flask.session.update({name: value}) or {})
    app.post("/append/<value>", endpoint="6")(lambda value: flask.session.setdefault("list", []).append(value) or {})
    app.post("/clear", endpoint="7")(lambda: flask.session.clear() or {})
    app.get("/static-page", endpoint="8")(lambda: "hello")
    # What one test alone needs: Flask takes no more routes after its first request.
    app.route("/do/<name>", methods=["GET", "POST"], endpoint="9")(lambda name: app.views[name]())


@pytest.fixture
def browser(app):
    return app.test_client()


def cookie_of(browser):
    cookie = browser.get_cookie(NAME, "localhost")
    return cookie and cookie.value


def set_cookies(answer):
    return answer.headers.getlist("Set-Cookie")


class TestCookie:
    def test_it_is_for_this_host_over_https_and_not_for_scripts(self, browser):
        (header,) = set_cookies(browser.post("/put/a/1"))
        first, *attributes = header.split("; ")
        assert first.startswith(f"{NAME}=")
        assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}

    def test_it_is_set_only_when_the_id_is_new_and_then_not_cached(self, browser):
        answer = browser.post("/put/a/1")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Vary"] == "Cookie"
        again = browser.post("/put/a/2")
        assert set_cookies(again) == []
        assert again.headers["Vary"] == "Cookie"

    def test_a_permanent_session_lasts_in_the_browser_as_long_as_in_the_table(self, app, browser):
        app.views["remember"] = lambda: setattr(flask.session, "permanent", True) or {}
        (header,) = set_cookies(browser.post("/do/remember"))
        assert f"Max-Age={ABSOLUTE}" in header

    def test_two_of_them_are_none(self, app, browser, sessions):
        """A second one was set by somebody else, and which one is first is up to them."""
        mine = sessions.start({"mine": 1}).id.cookie
        planted = sessions.start({"planted": 1}).id.cookie
        header = f"{NAME}={planted}; {NAME}={mine}"
        answer = app.test_client(use_cookies=False).get("/whoami", headers={"Cookie": header})
        assert answer.json == {"user": None, "data": {}}

    def test_on_plain_http_it_has_another_name(self, sessions):
        app = flask.Flask(__name__)
        WebSessions(sessions, cookie=Cookie(unsafe_http=True)).init_app(app)
        app.post("/put")(lambda: flask.session.update(a=1) or {})
        (header,) = set_cookies(app.test_client().post("/put"))
        assert header.startswith("session=")
        assert "Secure" not in header

    def test_what_somebody_made_up_is_no_session_and_no_error(self, browser):
        for value in ("x", "A" * 64, '"\\073', "é"):
            browser.set_cookie(NAME, value, domain="localhost")
            assert browser.get("/whoami").json == {"user": None, "data": {}}


class TestSignIn:
    def test_an_id_that_was_planted_before_is_worth_nothing_after(self, app, browser):
        attacker = app.test_client()
        attacker.post("/put/cart/1")
        planted = cookie_of(attacker)
        browser.set_cookie(NAME, planted, domain="localhost")
        browser.post("/sign-in/victim")
        assert browser.get("/whoami").json == {"user": "victim", "data": {"cart": "1"}}
        assert cookie_of(browser) != planted
        assert attacker.get("/whoami").json == {"user": None, "data": {}}

    def test_an_id_that_never_was_a_session_is_not_taken_over(self, browser):
        browser.set_cookie(NAME, "A" * 64, domain="localhost")
        browser.post("/sign-in/victim")
        assert cookie_of(browser) != "A" * 64

    def test_signing_in_again_gives_another_id(self, browser):
        browser.post("/sign-in/u")
        before = cookie_of(browser)
        browser.post("/sign-in/u")
        assert cookie_of(browser) != before

    def test_nothing_of_another_user_is_carried_over(self, browser):
        browser.post("/sign-in/one")
        browser.post("/put/secret/of-one")
        browser.post("/sign-in/two")
        assert browser.get("/whoami").json == {"user": "two", "data": {}}

    def test_what_was_put_in_after_clearing_is_the_new_users(self, app, browser):
        """And what was there before, whoever it was of, is not."""
        app.views["change"] = lambda: flask.session.clear() or flask.session.update(a=2) or sign_in("two") or {}
        browser.post("/sign-in/one")
        browser.post("/put/secret/of-one")
        browser.post("/do/change")
        assert browser.get("/whoami").json == {"user": "two", "data": {"a": 2}}

    def test_a_name_is_taken_out_and_the_rest_stays(self, app, browser):
        app.views["take"] = lambda: {"left": len(flask.session), "was": flask.session.pop("a")}
        browser.post("/put/a/1")
        browser.post("/put/b/2")
        assert browser.post("/do/take").json == {"left": 2, "was": "1"}
        assert browser.get("/whoami").json["data"] == {"b": "2"}

    def test_the_way_of_flasks_tutorial_gives_a_new_id_too(self, app, browser, sessions):
        app.views["tutorial"] = lambda: flask.session.clear() or flask.session.update(user_id="u") or {}
        browser.post("/put/a/1")
        before = cookie_of(browser)
        browser.post("/do/tutorial")
        assert browser.get("/whoami").json["data"] == {"user_id": "u"}
        assert cookie_of(browser) != before
        assert sessions.open(before) is None
        assert sessions.open(cookie_of(browser)).subject == "u"


class TestUserInTheData:
    """The site writes the user into the session itself, as Flask-Login and most code to copy do."""

    @pytest.mark.parametrize("key", users.USER_KEYS)
    @pytest.mark.parametrize("value", ["ada", 5, True, {"sub": "ada"}], ids=str)
    def test_an_id_that_was_planted_before_is_worth_nothing_after(self, app, browser, sessions, key, value):
        app.views["enter"] = lambda: flask.session.update({key: value}) or {}
        attacker = app.test_client()
        attacker.post("/put/cart/1")
        planted = cookie_of(attacker)
        browser.set_cookie(NAME, planted, domain="localhost")
        browser.post("/do/enter")
        assert browser.get("/whoami").json["data"] == {"cart": "1", key: value}
        assert sessions.open(planted) is None
        assert attacker.get("/whoami").json["data"] == {}

    def test_their_sessions_are_listed_and_ended(self, app, browser, sessions, subject):
        other = app.test_client()
        for one in (browser, other):
            one.post(f"/put/user_id/{subject}")
        assert len(people.list_all(sessions, subject)) == 2
        browser.post("/put/theme/dark")
        assert len(people.list_all(sessions, subject)) == 2
        assert people.end_all(sessions, subject) == 2
        assert [one.get("/whoami").json["data"] for one in (browser, other)] == [{}, {}]

    def test_everywhere_is_every_browser(self, app, browser, sessions, subject):
        for one in (browser, app.test_client()):
            one.post(f"/put/user_id/{subject}")
        assert browser.post("/sign-out-everywhere").json == {"ended": 2}
        assert people.list_all(sessions, subject) == ()

    def test_a_number_is_listed_as_text(self, app, browser, sessions):
        number = uuid.uuid4().int
        app.views["enter"] = lambda: flask.session.update(user_id=number) or {}
        browser.post("/do/enter")
        assert len(people.list_all(sessions, str(number))) == 1

    def test_it_begins_a_new_life_for_who_was_nobody_and_none_for_who_was_somebody(self, browser, clock, sessions):
        browser.post("/put/cart/1")
        clock.advance(seconds=60)
        browser.post("/put/user_id/ada")
        begun = sessions.open(cookie_of(browser)).life
        assert begun.created_ms == clock.now_ms()
        clock.advance(seconds=60)
        browser.post("/put/user_id/bob")
        after = sessions.open(cookie_of(browser))
        assert (after.life.expires_ms, after.subject) == (begun.expires_ms, "bob")

    def test_the_cookie_of_who_left_or_was_replaced_is_dead(self, app, browser, sessions):
        app.views["leave"] = lambda: {"was": flask.session.pop("user_id")}
        browser.post("/put/cart/1")
        for path in ("/put/user_id/ada", "/put/user_id/bob", "/do/leave"):
            before = cookie_of(browser)
            browser.post(path)
            assert sessions.open(before) is None
        assert sessions.open(cookie_of(browser)).subject is None
        assert browser.get("/whoami").json["data"] == {"cart": "1"}

    def test_the_same_user_again_and_other_names_give_no_new_id(self, browser):
        browser.post("/put/user_id/ada")
        before = cookie_of(browser)
        for path in ("/put/user_id/ada", "/put/username/ada", "/put/theme/dark"):
            browser.post(path)
        assert cookie_of(browser) == before

    def test_names_of_ones_own(self, sessions, subject):
        own = flask.Flask(__name__)
        WebSessions(replace(sessions, user_keys=["member"])).init_app(own)
        own.post("/put/<name>/<value>")(lambda name, value: flask.session.update({name: value}) or {})
        browser = own.test_client()
        browser.post("/put/user_id/ada")
        visitor = cookie_of(browser)
        browser.post("/put/user_id/bob")
        assert cookie_of(browser) == visitor
        browser.post(f"/put/member/{subject}")
        assert cookie_of(browser) != visitor
        assert len(people.list_all(sessions, subject)) == 1

    def test_one_name_that_is_no_list_is_refused(self, sessions):
        with pytest.raises(ValueError, match="a list of them"):
            replace(sessions, user_keys="member")

    def test_nothing_in_the_data_makes_signed_in_answer_somebody(self, browser):
        """A site that calls sign_in may keep the user whose page was seen last under such a name."""
        browser.post("/put/user_id/victim")
        assert browser.get("/whoami").json["user"] is None
        browser.post("/put/user_id/another-victim")
        assert browser.get("/whoami").json["user"] is None

    def test_who_was_signed_in_stays_it_whatever_the_data_say(self, browser, sessions):
        browser.post("/sign-in/ada")
        before = cookie_of(browser)
        for value in ("ada", "victim"):
            browser.post(f"/put/user_id/{value}")
            assert browser.get("/whoami").json["user"] == "ada"
        assert (cookie_of(browser), sessions.open(before).subject) == (before, "ada")

    def test_sign_in_after_it_is_a_sign_in(self, browser):
        browser.post("/put/user_id/ada")
        browser.post("/sign-in/ada")
        assert browser.get("/whoami").json == {"user": "ada", "data": {"user_id": "ada"}}

    def test_a_session_from_before_the_name_was_looked_at_moves_to_its_user(self, browser, sessions, subject, clock):
        old = sessions.start({"user_id": subject})
        browser.set_cookie(NAME, old.id.cookie, domain="localhost")
        clock.advance(seconds=60)
        browser.post("/put/theme/dark")
        (listed,) = people.list_all(sessions, subject)
        assert (listed.data, listed.expires_ms) == ({"user_id": subject, "theme": "dark"}, old.life.expires_ms)

    def test_what_expired_while_the_request_ran_is_not_another_users(self, app, browser, sessions, clock):
        def slow():
            flask.session["user_id"] = "bob"
            clock.advance(seconds=IDLE)
            return {}

        app.views["slow"] = slow
        browser.post("/put/user_id/ada")
        assert set_cookies(browser.post("/do/slow")) == []
        assert people.list_all(sessions, "bob") == ()


class TestSignOut:
    def test_the_old_cookie_is_dead_and_the_browser_forgets_it(self, app, browser):
        browser.post("/sign-in/u")
        stolen = cookie_of(browser)
        (header,) = set_cookies(browser.post("/sign-out"))
        assert "Max-Age=0" in header
        assert {"Secure", "HttpOnly", "Path=/"} <= set(header.split("; "))
        thief = app.test_client()
        thief.set_cookie(NAME, stolen, domain="localhost")
        assert thief.get("/whoami").json["user"] is None

    def test_clearing_is_signing_out(self, browser, sessions):
        browser.post("/sign-in/u")
        kept = cookie_of(browser)
        browser.post("/clear")
        assert sessions.open(kept) is None
        assert cookie_of(browser) is None

    def test_everywhere_is_every_browser(self, app, browser, subject):
        other = app.test_client()
        for one in (browser, other):
            one.post(f"/sign-in/{subject}")
        assert browser.post("/sign-out-everywhere").json == {"ended": 2}
        assert [one.get("/whoami").json["user"] for one in (browser, other)] == [None, None]

    def test_a_sign_in_that_was_overtaken_by_the_end_of_all_is_refused(self, app, browser, sessions, subject):
        before = people.epoch(sessions, subject)
        app.views["overtaken"] = lambda: sign_in(subject, epoch=before) or {}
        people.end_all(sessions, subject)
        answer = browser.post("/do/overtaken")
        assert (answer.status_code, set_cookies(answer)) == (400, [])
        assert people.list_all(sessions, subject) == ()

    def test_a_request_that_ends_later_does_not_sign_in_again(self, app, browser, sessions, caplog):
        browser.post("/sign-in/u")
        id_ = cookie_of(browser)
        reached, go_on = threading.Event(), threading.Event()

        def slow():
            flask.session["late"] = True
            reached.set()
            assert go_on.wait(20)
            return {}

        app.views["slow"] = slow
        slow_browser = app.test_client()
        slow_browser.set_cookie(NAME, id_, domain="localhost")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(slow_browser.post("/do/slow")))
        caplog.set_level("INFO", logger="keyturn.websession")
        thread.start()
        assert reached.wait(20)
        browser.post("/sign-out")
        go_on.set()
        thread.join(20)
        assert set_cookies(answers[0]) == []
        assert sessions.open(id_) is None
        assert "was ended while a request ran" in caplog.text


class TestWriting:
    def test_a_page_without_a_session_costs_no_request(self, browser, table):
        browser.post("/put/a/1")
        table.calls.clear()
        assert browser.get("/static-page").data == b"hello"
        assert table.calls == []

    def test_reading_costs_one_read_and_writes_nothing(self, browser, table):
        browser.post("/sign-in/u")
        table.calls.clear()
        browser.get("/whoami")
        assert table.calls == ["get"]

    def test_a_visitor_who_puts_nothing_in_gets_no_session(self, browser, table):
        answer = browser.get("/whoami")
        assert (table.calls, set_cookies(answer)) == ([], [])

    def test_a_change_deep_inside_is_written(self, browser):
        for value in ("1", "2"):
            browser.post(f"/append/{value}")
        assert browser.get("/whoami").json["data"] == {"list": ["1", "2"]}

    def test_an_anonymous_session_that_is_emptied_is_ended(self, app, browser, sessions):
        app.views["pop"] = lambda: {"was": flask.session.pop("a")}
        browser.post("/put/a/1")
        id_ = cookie_of(browser)
        browser.post("/do/pop")
        assert sessions.open(id_) is None

    def test_use_keeps_it_alive_with_few_writes(self, browser, clock, table):
        browser.post("/sign-in/u")
        table.calls.clear()
        for _ in range(40):
            clock.advance(seconds=IDLE / 20)
            assert browser.get("/whoami").json["user"] == "u"
        assert table.calls.count("replace") == 20

    def test_two_parallel_requests_keep_both_changes(self, app, browser):
        browser.post("/put/a/1")
        other = app.test_client()
        other.set_cookie(NAME, cookie_of(browser), domain="localhost")
        app.views["both"] = lambda: flask.session.update(b=2) or other.post("/put/c/3").json
        browser.post("/do/both")
        assert browser.get("/whoami").json["data"] == {"a": "1", "b": 2, "c": "3"}

    def test_flashed_messages_come_through(self, app, browser):
        app.views["flash"] = lambda: flask.flash("hello", "info") or {}
        app.views["flashed"] = lambda: {"messages": flask.get_flashed_messages(with_categories=True)}
        browser.post("/do/flash")
        assert browser.get("/do/flashed").json == {"messages": [["info", "hello"]]}
        assert browser.get("/do/flashed").json == {"messages": []}

    def test_flasks_own_helper_for_tests_works(self, browser):
        with browser.session_transaction() as session:
            session["a"] = 1
        assert browser.get("/whoami").json["data"] == {"a": 1}

    @pytest.mark.parametrize(("value", "error"), [("x" * 5000, SessionTooLarge), (object(), SessionNotJson)])
    def test_what_cannot_be_kept_is_the_sites_error_and_changes_nothing(self, app, browser, value, error):
        browser.post("/put/a/1")
        app.views["bad"] = lambda: flask.session.update(bad=value) or {}
        assert browser.post("/do/bad").status_code == 500
        assert browser.get("/whoami").json["data"] == {"a": "1"}
        app.testing = True
        with pytest.raises(error):
            browser.post("/do/bad")


class TestStoreAway:
    """It fails closed: the answer is 503, nobody is signed in, and the browser keeps its cookie."""

    @pytest.fixture
    def signed_in_browser(self, browser):
        browser.post("/sign-in/u")
        browser.post("/put/a/1")
        return browser

    @pytest.fixture
    def away(self, table):
        def fail():
            raise SessionUnavailable("away")

        def make(*names):
            for name in names:
                table.before[name] = fail

        return make

    @pytest.mark.parametrize(
        ("path", "fails"),
        [("/put/b/1", "get"), ("/put/b/1", "replace"), ("/sign-in/v", "create"), ("/sign-in/v", "delete")],
    )
    def test_the_answer_is_503_and_the_cookie_stays(self, signed_in_browser, away, path, fails):
        kept = cookie_of(signed_in_browser)
        away(fails)
        answer = signed_in_browser.post(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Cache-Control"] == "no-store"
        assert set_cookies(answer) == []
        assert cookie_of(signed_in_browser) == kept

    @pytest.mark.parametrize("path", ["/sign-out", "/clear", "/sign-out-everywhere"])
    def test_a_sign_out_that_was_not_written_is_not_said_to_be_one(self, signed_in_browser, away, path):
        away("delete")
        assert signed_in_browser.post(path).status_code == 503
        assert signed_in_browser.get("/whoami").json["user"] == "u"

    def test_a_page_without_a_session_is_served(self, signed_in_browser, away):
        away("get")
        assert signed_in_browser.get("/static-page").status_code == 200


def test_an_application_without_it_is_told(app):
    other = flask.Flask(__name__)
    other.secret_key = "x"
    with other.test_request_context(), pytest.raises(TypeError, match="init_app"):
        sign_in("u")


def test_a_list_of_sessions_knows_this_one(app, browser, sessions, subject):
    def mine():
        this = people.handle_of(flask.session.opened)
        return {"this": [one.handle == this for one in people.list_all(sessions, subject)]}

    app.views["mine"] = mine
    app.test_client().post(f"/sign-in/{subject}")
    browser.post(f"/sign-in/{subject}")
    assert sorted(browser.get("/do/mine").json["this"]) == [False, True]
