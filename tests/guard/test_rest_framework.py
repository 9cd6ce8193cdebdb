"""Django REST framework with our authentication and permissions, by the attacks that they are there for."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings
from django.urls import path

from keyturn.errors import InsufficientScope, Unavailable
from tests.guard.attacks import ATTACKS, CHALLENGE, bearer
from tests.support.django_base import set_up

set_up()

from django.contrib.contenttypes.models import ContentType  # noqa: E402  Django has to be configured first
from rest_framework.exceptions import NotFound  # noqa: E402
from rest_framework.generics import RetrieveAPIView  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from keyturn.django.rest_framework import KeyturnAuthentication, SignedIn, owns, requires  # noqa: E402

NOTES = {1: {"owner_id": "ada", "text": "mine"}, 2: {"owner_id": "eve", "text": "hers"}}


class Guarded(APIView):
    authentication_classes = (KeyturnAuthentication,)
    permission_classes = (SignedIn,)


class Me(Guarded):
    def get(self, request):
        return Response({"subject": request.auth.subject, "user": request.user.pk})


class Write(Guarded):
    permission_classes = (requires("notes:write", max_age_seconds=60),)

    def post(self, request):
        return Response({"subject": request.user.pk})


class User(Guarded):
    permission_classes = (owns("user_id", or_scope="users:read"),)

    def get(self, request, user_id):
        return Response({"user_id": user_id})


class Note(Guarded):
    permission_classes = (owns(or_scope="notes:all"),)

    def get(self, request, note_id):
        if note_id not in NOTES:
            raise NotFound
        note = NOTES[note_id]
        self.check_object_permissions(request, note)
        return Response(note)


class Table:
    """What a view with a model asks of its rows: one of ada's, one of eve's, and no other."""

    model = ContentType
    asked = 0

    def get(self, pk):
        if pk not in NOTES:
            raise ContentType.DoesNotExist
        return ContentType(app_label=NOTES[pk]["owner_id"], model="note")


class Row(RetrieveAPIView):
    authentication_classes = (KeyturnAuthentication,)
    permission_classes = (owns(owner="app_label"),)

    def get_queryset(self):
        Table.asked += 1
        return Table()

    def retrieve(self, request, pk):
        return Response({"owner": self.get_object().app_label})


class Raises(Guarded):
    def get(self, request):
        raise InsufficientScope("notes:write")


class Open(Guarded):
    permission_classes = ()

    def get(self, request):
        return Response({"auth": request.auth and request.auth.subject})


urlpatterns = [
    path("me", Me.as_view()),
    path("write", Write.as_view()),
    path("users/<user_id>", User.as_view()),
    path("notes/<int:note_id>", Note.as_view()),
    path("rows/<int:pk>", Row.as_view()),
    path("raises", Raises.as_view()),
    path("open", Open.as_view()),
]


@pytest.fixture(autouse=True)
def _site(keyturn_issuer):
    setting = {"verifier": keyturn_issuer.verifier()}
    rest = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
    with override_settings(ROOT_URLCONF=__name__, KEYTURN=setting, MIDDLEWARE=[], REST_FRAMEWORK=rest):
        yield


@pytest.fixture
def client():
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def test_a_good_token_comes_in(client, keyturn_issuer):
    answer = client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.json()) == (200, {"subject": "ada", "user": "ada"})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("target", ["/me", "/users/ada", "/notes/1"])
def test_attack_no_other_token_comes_in(client, keyturn_issuer, attack, target):
    answer = client.get(target, headers=attack(keyturn_issuer))
    presented = attack.__name__ not in {"no_token", "another_scheme"}
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (f'{CHALLENGE}, error="invalid_token"' if presented else CHALLENGE)


def test_a_bad_token_is_refused_where_none_is_needed(client, keyturn_issuer):
    assert client.get("/open").json() == {"auth": None}
    assert client.get("/open", headers=bearer(keyturn_issuer.token_for("ada"))).json() == {"auth": "ada"}
    assert client.get("/open", headers=bearer(keyturn_issuer.forged("ada"))).status_code == 401


def test_scopes_and_recent_sign_ins_are_asked_for(client, keyturn_issuer):
    answer = client.post("/write", headers=bearer(keyturn_issuer.token_for("ada")))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="notes:write"'
    old = client.post("/write", headers=bearer(keyturn_issuer.token_for("ada", scopes=["notes:write"], age=61)))
    assert old.status_code == 401
    assert old.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_user_authentication", max_age="60"'
    assert client.post("/write", headers=bearer(keyturn_issuer.token_for("ada", scopes=["notes:write"]))).json()


def test_attack_anothers_and_nobodys_are_the_same_to_the_caller(client, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert client.get("/users/ada", headers=token).json() == {"user_id": "ada"}
    assert client.get("/notes/1", headers=token).json()["text"] == "mine"
    for target in ("/users/eve", "/users/nobody", "/notes/2", "/notes/3"):
        assert client.get(target, headers=token).status_code == 404, target
    assert client.get("/users/eve", headers=bearer(keyturn_issuer.token_for("o", scopes=["users:read"]))).json()
    assert client.get("/notes/2", headers=bearer(keyturn_issuer.token_for("o", scopes=["notes:all"]))).json()


@pytest.mark.parametrize("door", ["/notes/", "/rows/"])
def test_attack_enumeration_the_answer_for_anothers_object_is_that_for_none(client, keyturn_issuer, door):
    assert client.get(door + "1", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 200
    token = bearer(keyturn_issuer.token_for("mallory"))
    anothers, nobodys = client.get(door + "1", headers=token), client.get(door + "3", headers=token)
    assert (anothers.status_code, anothers.content) == (nobodys.status_code, nobodys.content)
    assert anothers.headers.items() == nobodys.headers.items()
    assert anothers.status_code == 404


@pytest.mark.parametrize(("row", "status"), [(1, 200), (2, 404), (3, 404)])
def test_enumeration_by_time_the_rows_are_asked_for_as_often_whosever_the_object_is(
    client, keyturn_issuer, row, status
):
    Table.asked = 0
    assert client.get(f"/rows/{row}", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == status
    assert Table.asked == 2


def test_refusals_are_kept_by_no_cache_and_answers_vary_by_token(client, keyturn_issuer):
    eve, ada = (bearer(keyturn_issuer.token_for(name)) for name in ("eve", "ada"))
    for target, headers in (("/me", {}), ("/me", bearer(keyturn_issuer.forged("ada"))), ("/users/ada", eve)):
        assert client.get(target, headers=headers).headers["cache-control"] == "no-store", target
    for headers in ({}, ada):
        assert "Authorization" in client.get("/open", headers=headers).headers["vary"]
    assert "cache-control" not in client.get("/me", headers=ada).headers


def test_attack_a_session_of_the_site_is_no_token(keyturn_issuer):
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.test import APIRequestFactory

    class BySession(BaseAuthentication):
        def authenticate(self, request):
            return object(), None

    class View(Me):
        authentication_classes = (BySession,)

    assert View.as_view()(APIRequestFactory().get("/")).status_code in {401, 403}


def test_what_cannot_be_known_is_503_and_no_way_in(client, keyturn_issuer):
    class Unknown:
        def is_revoked(self, principal):
            raise Unavailable("not known", retry_after_seconds=7)

    with override_settings(KEYTURN={"verifier": keyturn_issuer.verifier(revocations=Unknown())}):
        answer = client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


@override_settings(MIDDLEWARE=["keyturn.django.middleware.GuardMiddleware"])
def test_the_middleware_answers_the_guard_errors_of_views(client, keyturn_issuer):
    assert client.get("/raises", headers=bearer(keyturn_issuer.token_for("ada"))).status_code == 403
