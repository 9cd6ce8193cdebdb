"""Sites as their authors would write them, for ``mypy --strict`` to read; nobody runs it."""

from dataclasses import dataclass
from typing import Annotated, Any, assert_type

from django.http import HttpRequest, HttpResponse
from django.views import View
from fastapi import FastAPI
from fastapi.params import Depends
from flask import Flask
from rest_framework.request import Request
from rest_framework.views import APIView
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse

from keyturn import Owns, Principal, Requirement, RevocationFeed, Verifier
from keyturn.django.requests import principal_of as principal_of_django
from keyturn.django.rest_framework import KeyturnAuthentication, SignedIn
from keyturn.django.rest_framework import owns as rest_owns
from keyturn.django.rest_framework import requires as rest_requires
from keyturn.django.views import GuardMixin, owns, signed_in
from keyturn.dynamodb import owned_item, owned_key, owned_query
from keyturn.fastapi import RESPONSES
from keyturn.fastapi import Guard as FastApiGuard
from keyturn.flask import Guard as FlaskGuard
from keyturn.flask import current_principal
from keyturn.starlette import GuardMiddleware, principal_of
from keyturn.websession.client import DynamoSessionTable, connect
from keyturn.websession.flask import WebSessions
from keyturn.websession.flask import sign_in as flask_sign_in
from keyturn.websession.flask import signed_in as flask_signed_in
from keyturn.websession.flows import Sessions
from keyturn.websession.model import Session
from keyturn.websession.people import end_all, list_all
from keyturn.websession.seal import Keyring

feed = RevocationFeed("https://auth.example.com", key="x", poll_seconds=2)
verifier = Verifier("https://auth.example.com", audience="notes", revocations=feed)


@dataclass
class Note:
    owner_id: str


async def load_note(note_id: str) -> Note | None:
    return Note(note_id)


app, guard = FastAPI(), FastApiGuard(verifier)
guard.install(app)
assert_type(guard.signed_in, Depends)
assert_type(guard.owns(load_note), Depends)


@app.get("/users/{user_id}", responses=RESPONSES, dependencies=[guard.requires("notes", amr=["otp"])])
async def user(user_id: str, caller: Annotated[Principal, guard.owns("user_id", or_scope="users:read")]) -> str:
    assert_type(caller, Principal)
    return user_id


@app.get("/notes/{note_id}")
async def note(found: Annotated[Note, guard.owns(load_note)]) -> str:
    return found.owner_id


flask_app = Flask(__name__)
flask_guard = FlaskGuard(verifier, flask_app)


@flask_app.get("/users/<user_id>")
@flask_guard.owns("user_id", or_scope="users:read")
def flask_user(user_id: str) -> str:
    assert_type(current_principal.scopes, frozenset[str])
    flask_sign_in(user_id)
    assert_type(flask_signed_in(), str | None)
    return user_id


async def starlette_user(request: StarletteRequest) -> PlainTextResponse:
    assert_type(principal_of(request), Principal)
    return PlainTextResponse("ok")


starlette_app = Starlette(
    middleware=[Middleware(GuardMiddleware, verifier=verifier, requirement=Requirement.of("notes"))]
)


@signed_in
def django_me(request: HttpRequest) -> HttpResponse:
    assert_type(principal_of_django(request), Principal)
    return HttpResponse("ok")


@owns("user_id", or_scope="users:read")
def django_user(request: HttpRequest, user_id: str) -> HttpResponse:
    return HttpResponse(user_id)


class Notes(GuardMixin, View):
    requirement = Requirement.of("notes", max_age_seconds=300)
    ownership = Owns("user_id")

    def get(self, request: HttpRequest, user_id: str) -> HttpResponse:
        assert_type(self.principal, Principal)
        return HttpResponse(user_id)


class RestNotes(APIView):
    authentication_classes = (KeyturnAuthentication,)
    permission_classes = (SignedIn, rest_requires("notes"), rest_owns("user_id"))

    def get(self, request: Request, user_id: str) -> HttpResponse:
        return HttpResponse(request.auth.subject if isinstance(request.auth, Principal) else user_id)


def keys(principal: Principal) -> list[dict[str, Any]]:
    return [
        owned_key(principal, sort=("sk", "NOTE", "1")),
        owned_query(principal, begins=("sk", "NOTE")),
        owned_item(principal, {"text": "milk"}, sort=("sk", "NOTE", "1")),
    ]


sessions = Sessions(
    table=DynamoSessionTable(name="sessions", client=connect(region="eu-west-1")), keys=Keyring.parse("1:key")
)
WebSessions(sessions).init_app(flask_app)
assert_type(sessions.open("cookie"), Session | None)
assert_type(end_all(sessions, "user"), int)
assert_type([one.handle for one in list_all(sessions, "user")], list[str])
