"""A guard error is an answer where the caller is refused. Where the service is at fault the framework hears of it."""

from __future__ import annotations

import logging
from base64 import b64encode

import pytest
from django.test import Client, override_settings
from django.urls import path
from django.views import View
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from keyturn import InsufficientScope, NotFound
from keyturn.errors import GuardError, IssuerFault
from keyturn.fastapi import Guard as FastGuard
from keyturn.flask import Guard as FlaskGuard
from keyturn.starlette import GuardMiddleware, principal_of
from keyturn.websession.errors import SessionUnavailable
from tests.guard.asgi import client_of
from tests.guard.attacks import bearer
from tests.support.django_base import set_up

set_up()

from keyturn.django.views import GuardMixin, signed_in  # noqa: E402  Django has to be configured first


def fail(request):
    raise IssuerFault("the service is at fault")


async def fail_async(request):
    raise IssuerFault("the service is at fault")


def read_session(request):
    raise SessionUnavailable("DynamoDB did not answer")


class Failing(GuardMixin, View):
    get = staticmethod(fail)


class FailingAsync(GuardMixin, View):
    get = staticmethod(fail_async)


DJANGO = {"function": signed_in(fail), "async": signed_in(fail_async), "bare": fail}
DJANGO |= {"class": Failing.as_view(), "async-class": FailingAsync.as_view()}
urlpatterns = [path(name, view) for name, view in DJANGO.items()]
urlpatterns += [path("session", signed_in(read_session)), path("session-bare", read_session)]


@pytest.mark.parametrize("name", DJANGO)
def test_django_hears_of_a_fault(keyturn_issuer, name, caplog):
    middleware = ["keyturn.django.middleware.GuardMiddleware"]
    with override_settings(
        ROOT_URLCONF=__name__, MIDDLEWARE=middleware, KEYTURN={"verifier": keyturn_issuer.verifier()}
    ):
        client = Client(raise_request_exception=False)
        answer = client.get(f"/{name}", headers=bearer(keyturn_issuer.token_for("ada")))
    assert answer.status_code == 500
    assert told(caplog)


def test_flask_hears_of_a_fault(keyturn_issuer, caplog):
    app = Flask(__name__)
    guard = FlaskGuard(keyturn_issuer.verifier(), app)
    app.get("/")(guard.signed_in(lambda: fail(None)))
    assert app.test_client().get("/", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 500
    assert told(caplog)


async def test_fastapi_hears_of_a_fault(keyturn_issuer):
    app = FastAPI()
    FastGuard(keyturn_issuer.verifier()).install(app)

    @app.get("/")
    def view():
        fail(None)

    with pytest.raises(IssuerFault):
        await client_of(app, raising=True).get("/")


def told(caplog):
    return [record for record in caplog.records if record.exc_info and record.levelno >= logging.ERROR]


def starlette_with(endpoint, issuer):
    guard = Middleware(GuardMiddleware, verifier=issuer.verifier(), optional=True)
    return Starlette(routes=[Route("/", endpoint)], middleware=[guard])


@pytest.mark.parametrize(("error", "status"), [(NotFound("x"), 404), (InsufficientScope("a"), 403)])
async def test_starlette_answers_the_guard_errors_of_endpoints(keyturn_issuer, error, status):
    async def view(request):
        raise error

    assert (await client_of(starlette_with(view, keyturn_issuer)).get("/")).status_code == status


async def test_whom_an_optional_guard_let_pass_as_nobody_is_asked_for_a_token_where_one_is_needed(keyturn_issuer):
    async def view(request):
        return PlainTextResponse(principal_of(request).subject)

    answer = await client_of(starlette_with(view, keyturn_issuer)).get("/")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="keyturn"')


@pytest.mark.parametrize("error", [IssuerFault("x"), GuardError("x")])
async def test_starlette_hears_of_a_fault(keyturn_issuer, error):
    async def view(request):
        raise error

    with pytest.raises(GuardError):
        await client_of(starlette_with(view, keyturn_issuer), raising=True).get("/")


async def test_an_answer_that_has_begun_is_not_begun_again(keyturn_issuer):
    async def body():
        yield b"a"
        raise NotFound("too late")

    async def view(request):
        return StreamingResponse(body())

    with pytest.raises(NotFound):
        await client_of(starlette_with(view, keyturn_issuer), raising=True).get("/")


@pytest.mark.parametrize("name", ["session", "session-bare"])
def test_a_web_session_that_cannot_be_reached_is_503_behind_a_guard_too(keyturn_issuer, name):
    guard, sessions = "keyturn.django.middleware.GuardMiddleware", "keyturn.websession.django.SessionMiddleware"
    table = {"table": "t", "keys": f"1:{b64encode(bytes(32)).decode()}", "region": "eu-west-1"}
    with override_settings(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[sessions, guard],
        KEYTURN={"verifier": keyturn_issuer.verifier()},
        KEYTURN_WEBSESSION=table,
        SESSION_ENGINE="keyturn.websession.django",
        SESSION_COOKIE_NAME="__Host-session",
        SESSION_COOKIE_SECURE=True,
    ):
        client = Client(raise_request_exception=False)
        answer = client.get(f"/{name}", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
