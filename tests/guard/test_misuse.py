"""Guards that are hung up wrongly: what cannot work is told, at the latest at the first request, and opens no door."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from flask import Blueprint, Flask

from keyturn import Owns, Principal
from keyturn.fastapi import Guard as FastGuard
from keyturn.flask import Guard as FlaskGuard
from keyturn.flask import current_principal
from keyturn.testing.issuer import OfflineIssuer
from tests.guard.attacks import bearer


def whoever(caller: Principal):
    return caller.subject


def test_attack_a_principal_without_its_guard_is_not_read_from_the_request():
    with pytest.raises(TypeError, match="comes from a guard"):
        FastAPI().get("/me")(whoever)


async def test_the_api_document_tells_which_routes_have_no_guard(keyturn_issuer):
    app, guard = FastAPI(), FastGuard(keyturn_issuer.verifier())
    app.get("/guarded", dependencies=[guard.signed_in])(secret)
    app.get("/open")(secret)
    open_ones = [path for path, item in app.openapi()["paths"].items() if "security" not in item["get"]]
    assert open_ones == ["/open"]


def test_attack_a_guard_without_its_parentheses_is_not_read_from_the_request(keyturn_issuer):
    def forgot(caller):
        return caller.subject

    from typing import Annotated

    forgot.__annotations__ = {"caller": Annotated[Principal, FastGuard(keyturn_issuer.verifier()).requires]}
    with pytest.raises(TypeError, match="comes from a guard"):
        FastAPI().get("/me")(forgot)


def secret():
    return "secret"


@pytest.mark.parametrize("of", ["application", "blueprint", "another decorator between"])
def test_attack_a_flask_guard_above_the_route_lets_nobody_in(keyturn_issuer, of):
    app, part = Flask(__name__), Blueprint("part", __name__)
    guard = FlaskGuard(keyturn_issuer.verifier(), app)
    view = (part if of == "blueprint" else app).get("/secret")(secret)
    if of == "another decorator between":
        view = guard.requires("a")(view)
    guard.signed_in(view)
    app.register_blueprint(part)
    client = app.test_client()
    assert client.get("/secret").status_code == 500
    assert client.get("/secret", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 500
    assert client.get("/not-there").status_code == 404


def test_a_flask_guard_below_the_route_is_not_taken_for_one_above(keyturn_issuer):
    app = Flask(__name__)
    guard = FlaskGuard(keyturn_issuer.verifier(), app)
    app.get("/a")(guard.signed_in(guard.owns("user_id", or_scope="all")(lambda user_id="x": user_id)))
    app.get("/b", endpoint="b")(secret)
    assert app.test_client().get("/a", headers=bearer(keyturn_issuer.token_for("ada"))).status_code != 200
    assert app.test_client().get("/b").text == "secret"


def test_attack_a_token_of_one_verifier_does_not_pass_the_guard_of_another():
    people = OfflineIssuer(audience="https://notes.test")
    staff = OfflineIssuer(issuer="https://staff.test", audience="https://notes.test")
    app = Flask(__name__)
    anybody, operators = FlaskGuard(people.verifier(), app), FlaskGuard(staff.verifier())
    anybody.protect(app)

    @app.get("/admin")
    @operators.signed_in
    def admin():
        return current_principal.subject

    assert app.test_client().get("/admin", headers=bearer(people.token_for("eve"))).status_code == 401


@pytest.mark.parametrize("scope", ["", " ", "notes:all ", "notes:all users:all", 'a"b'])
def test_a_scope_that_no_token_can_hold_is_refused_where_the_route_is_declared(scope):
    with pytest.raises(ValueError, match="scope"):
        Owns("user_id", or_scope=scope)
