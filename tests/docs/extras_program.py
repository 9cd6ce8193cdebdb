"""A service in each framework on the guard, run by an installation of its own: prints the statuses of its answers."""

import asyncio
import json
import sys
from importlib import import_module
from typing import Annotated

import django
import flask
import httpx
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from keyturn import Principal, Requirement
from keyturn.django.views import owns
from keyturn.fastapi import Guard as FastApiGuard
from keyturn.flask import Guard as FlaskGuard
from keyturn.flask import current_principal
from keyturn.starlette import GuardMiddleware, principal_of
from keyturn.testing.issuer import OfflineIssuer

ISSUER = OfflineIssuer()
VERIFIER = ISSUER.verifier()


def by_fastapi():
    app, guard = FastAPI(), FastApiGuard(VERIFIER)
    guard.install(app)

    async def load(user_id: str):
        return {"owner_id": "user", "id": user_id}

    @app.get("/users/{user_id}")
    async def user(user_id: str, caller: Annotated[Principal, guard.owns("user_id")]):
        return caller.subject

    @app.get("/loaded/{user_id}", dependencies=[guard.requires("read"), guard.signed_in])
    async def loaded(found: Annotated[dict, guard.owns(load)]):
        return found

    return app


def by_starlette():
    async def user(request):
        return JSONResponse(principal_of(request).subject)

    guarded = Middleware(GuardMiddleware, verifier=VERIFIER, requirement=Requirement.of("read"))
    return Starlette(routes=[Route("/users/{user_id}", user)], middleware=[guarded])


def by_flask():
    app = flask.Flask(__name__)
    guard = FlaskGuard(VERIFIER, app)

    @app.get("/users/<user_id>")
    @guard.owns("user_id")
    def user(user_id):
        return json.dumps(current_principal.subject)

    return app


@owns("user_id")
def user_by_django(request, user_id):
    return JsonResponse(request.user.pk, safe=False)


urlpatterns = [path("users/<user_id>", user_by_django)]


def by_django():
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], KEYTURN={"verifier": f"{__name__}.VERIFIER"})
    django.setup()
    return get_wsgi_application()


async def asgi_statuses(app, asked):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service.test") as client:
        return [(await client.get(path, headers=headers)).status_code for path, headers in asked]


def wsgi_statuses(app, asked):
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://service.test") as client:
        return [client.get(path, headers=headers).status_code for path, headers in asked]


if __name__ == "__main__":
    good = ISSUER.headers_for("user", scopes=["read"])
    forged = {"Authorization": f"Bearer {ISSUER.forged('user')}"}
    asked = [("/users/user", headers) for headers in (good, forged, {})]
    more = [("/loaded/user", good), ("/loaded/user", forged), ("/users/other", good), ("/openapi.json", {})]
    for name in ("dynamodb", "websession.client", "websession.django", "websession.flask"):
        import_module(f"keyturn.{name}")
    json.dump(
        {
            "fastapi": asyncio.run(asgi_statuses(by_fastapi(), [*asked, *more])),
            "starlette": asyncio.run(asgi_statuses(by_starlette(), asked)),
            "flask": wsgi_statuses(by_flask(), asked),
            "django": wsgi_statuses(by_django(), asked),
        },
        sys.stdout,
    )
