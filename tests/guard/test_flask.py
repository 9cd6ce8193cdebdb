"""The guards of Flask, by the attacks that they are there for."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, g, jsonify

from keyturn import Requirement
from keyturn.errors import InsufficientScope, Unavailable
from keyturn.flask import Guard, current_principal
from tests.guard.attacks import ATTACKS, CHALLENGE, bearer

NOTES = {1: {"owner_id": "ada", "text": "mine"}, 2: {"owner_id": "eve", "text": "hers"}}
LOADS = []


def load_note(note_id):
    LOADS.append(note_id)
    return NOTES.get(note_id)


def application(guard):  # noqa: C901 - one view a guard
    app = Flask(__name__)
    guard.init_app(app)

    @app.get("/me")
    @guard.signed_in
    def me():
        return jsonify(subject=current_principal.subject, same=g.principal == current_principal)

    @app.post("/notes")
    @guard.requires("notes:write")
    def write():
        return jsonify(subject=current_principal.subject)

    @app.delete("/account")
    @guard.requires(max_age_seconds=60)
    def close():
        return jsonify(closed=True)

    @app.get("/users/<user_id>")
    @guard.owns("user_id", or_scope="users:read")
    def user(user_id):
        return jsonify(user_id=user_id, by=current_principal.subject)

    @app.get("/notes/<int:note_id>")
    @guard.owns(load_note, into="note")
    def note(note):
        return jsonify(note)

    @app.get("/notes/<int:note_id>/id")
    @guard.owns(load_note)
    def note_id(note_id):
        return jsonify(note_id)

    @app.get("/forgot")
    def forgot():
        return jsonify(current_principal.subject)

    @app.get("/raises")
    def raises():
        raise InsufficientScope("notes:write")

    return app


@pytest.fixture
def guard(keyturn_issuer):
    LOADS.clear()
    return Guard(keyturn_issuer.verifier())


@pytest.fixture
def app(guard):
    return application(guard)


@pytest.fixture
def client(app):
    return app.test_client()


def test_a_good_token_comes_in(client, keyturn_issuer):
    answer = client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.json) == (200, {"subject": "ada", "same": True})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("path", ["/me", "/users/ada", "/notes/1"])
def test_attack_no_other_token_comes_in_and_each_hears_the_same(client, keyturn_issuer, attack, path):
    answer = client.get(path, headers=attack(keyturn_issuer))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    presented = attack.__name__ not in {"no_token", "another_scheme"}
    assert answer.headers["www-authenticate"] == (f'{CHALLENGE}, error="invalid_token"' if presented else CHALLENGE)
    assert answer.get_json(force=True)["code"] == ("invalid_token" if presented else "missing_token")
    assert LOADS == []


def test_a_missing_scope_is_named(client, keyturn_issuer):
    answer = client.post("/notes", headers=bearer(keyturn_issuer.token_for("ada", scopes=["notes:read"])))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="notes:write"'
    token = keyturn_issuer.token_for("ada", scopes=["notes:write"])
    assert client.post("/notes", headers=bearer(token)).status_code == 200


def test_an_old_sign_in_is_asked_to_step_up(client, keyturn_issuer):
    answer = client.delete("/account", headers=bearer(keyturn_issuer.token_for("ada", age=61)))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_user_authentication", max_age="60"'
    assert client.delete("/account", headers=bearer(keyturn_issuer.token_for("ada", age=30))).status_code == 200


def test_attack_anothers_user_and_nobodys_are_the_same_to_the_caller(client, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert client.get("/users/ada", headers=token).json == {"user_id": "ada", "by": "ada"}
    refused = [client.get(path, headers=token) for path in ("/users/eve", "/users/nobody", "/users/ADA")]
    assert {(answer.status_code, answer.data) for answer in refused} == {(404, refused[0].data)}
    operator = bearer(keyturn_issuer.token_for("root", scopes=["users:read"]))
    assert client.get("/users/eve", headers=operator).json["user_id"] == "eve"


def test_attack_anothers_object_and_none_are_the_same_to_the_caller(client, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert client.get("/notes/1", headers=token).json["text"] == "mine"
    assert client.get("/notes/1/id", headers=token).json == 1
    refused = [client.get(path, headers=token) for path in ("/notes/2", "/notes/3", "/notes/2/id")]
    assert {(answer.status_code, answer.data) for answer in refused} == {(404, refused[0].data)}
    assert LOADS == [1, 1, 2, 3, 2]


def test_attack_a_view_that_forgot_its_guard_takes_nobody_for_signed_in(client, keyturn_issuer):
    assert client.get("/forgot").status_code == 401
    assert client.get("/forgot", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 401


def test_attack_the_caller_of_one_request_is_not_the_caller_of_the_next(app, keyturn_issuer):
    with app.app_context():
        client = app.test_client()
        assert client.get("/me", headers=bearer(keyturn_issuer.token_for("ada"))).json["subject"] == "ada"
        assert client.get("/me").status_code == 401
        assert client.get("/forgot").status_code == 401
        assert client.get("/me", headers=bearer(keyturn_issuer.token_for("eve"))).json["subject"] == "eve"


def test_attack_no_view_of_a_protected_part_is_open(keyturn_issuer):
    app, part = Flask(__name__), Blueprint("admin", __name__, url_prefix="/admin")
    guard = Guard(keyturn_issuer.verifier(), app)
    guard.protect(part, Requirement.of("admin"))

    @part.get("/forgotten")
    def forgotten():
        return current_principal.subject

    app.register_blueprint(part)
    client = app.test_client()
    assert client.get("/admin/forgotten").status_code == 401
    assert client.get("/admin/forgotten", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 403
    token = keyturn_issuer.token_for("ada", scopes=["admin"])
    assert client.get("/admin/forgotten", headers=bearer(token)).text == "ada"
    # A browser asks so before it sends a token from another origin; no view answers it.
    assert client.options("/admin/forgotten").status_code == 200


def test_attack_a_view_that_answers_options_itself_is_guarded_there_too(keyturn_issuer):
    app = Flask(__name__)
    Guard(keyturn_issuer.verifier(), app).protect(app)

    @app.route("/all", methods=["GET", "OPTIONS"])
    def everything():
        return "secret"

    assert app.test_client().options("/all").status_code == 401


def test_async_views_and_nested_guards_work(guard, keyturn_issuer, monkeypatch):
    app = Flask(__name__)
    guard.init_app(app)
    asked = []
    authenticate = guard.verifier.authenticate
    monkeypatch.setattr(guard.verifier, "authenticate", lambda lines: asked.append(lines) or authenticate(lines))

    @app.get("/users/<user_id>")
    @guard.requires("a")
    @guard.owns("user_id")
    async def user(user_id):
        return f"{user_id} as {current_principal.subject}"

    answer = app.test_client().get("/users/ada", headers=bearer(keyturn_issuer.token_for("ada", scopes=["a"])))
    assert answer.text == "ada as ada"
    assert len(asked) == 1


def test_nothing_is_handed_on_where_nothing_is_loaded(guard):
    with pytest.raises(ValueError, match="nothing is loaded"):
        guard.owns("user_id", into="user")


def test_a_views_own_guard_error_is_answered_as_one(client):
    assert client.get("/raises").status_code == 403


def test_what_cannot_be_known_is_503_and_no_way_in(keyturn_issuer):
    class Unknown:
        def is_revoked(self, principal):
            raise Unavailable("not known", retry_after_seconds=7)

    client = application(Guard(keyturn_issuer.verifier(revocations=Unknown()))).test_client()
    answer = client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_attack_an_error_inside_a_guard_opens_no_door(keyturn_issuer):
    class Broken:
        def is_revoked(self, principal):
            raise RuntimeError("broken")

    client = application(Guard(keyturn_issuer.verifier(revocations=Broken()))).test_client()
    assert client.get("/me", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 500
