"""The guards of Django, by the attacks that they are there for, over WSGI and ASGI."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import JsonResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.views import View

from keyturn import Owns, Requirement, Verifier
from keyturn.errors import InsufficientScope, Unavailable
from tests.guard.attacks import ATTACKS, CHALLENGE, bearer
from tests.support.django_base import set_up

set_up()

from keyturn.django.conf import the_verifier  # noqa: E402  Django has to be configured first
from keyturn.django.requests import principal_of  # noqa: E402
from keyturn.django.user import Nobody, PrincipalUser  # noqa: E402
from keyturn.django.views import GuardMixin, owns, requires, signed_in  # noqa: E402

NOTES = {1: {"owner_id": "ada", "text": "mine"}, 2: {"owner_id": "eve", "text": "hers"}}
LOADS = []


def load_note(note_id):
    LOADS.append(note_id)
    return NOTES.get(note_id)


async def load_note_async(note_id):
    return load_note(note_id)


def me(request):
    return JsonResponse({"subject": principal_of(request).subject, "user": request.user.pk})


async def me_async(request):
    return JsonResponse({"subject": principal_of(request).subject, "user": request.user.pk})


def user(request, user_id):
    return JsonResponse({"user_id": user_id})


def note(request, note):
    return JsonResponse(note)


async def note_async(request, note):
    return JsonResponse(note)


def who(request):
    return JsonResponse({"principal": request.principal and request.principal.subject, "user": str(request.user)})


def raises(request):
    raise InsufficientScope("notes:write")


class Account(GuardMixin, View):
    requirement = Requirement.of("account", max_age_seconds=60)

    def post(self, request):
        return JsonResponse({"subject": self.principal.subject})


class Note(GuardMixin, View):
    ownership = Owns(load_note, or_scope="notes:all")

    def get(self, request, note_id):
        return JsonResponse(self.owned)


class NoteAsync(GuardMixin, View):
    ownership = Owns(load_note_async)

    async def get(self, request, note_id):
        return JsonResponse(self.owned)


urlpatterns = [
    path("me", signed_in(me)),
    path("me-async", signed_in(me_async)),
    path("write", requires("notes:write")(me)),
    path("users/<user_id>", owns("user_id", or_scope="users:read")(user)),
    path("notes/<int:note_id>", owns(load_note, into="note")(note)),
    path("notes-async/<int:note_id>", owns(load_note_async, into="note")(note_async)),
    path("class/account", Account.as_view()),
    path("class/notes/<int:note_id>", Note.as_view()),
    path("class/notes-async/<int:note_id>", NoteAsync.as_view()),
    path("who", who),
    path("open", me),
    path("raises", raises),
]

CSRF = "django.middleware.csrf.CsrfViewMiddleware"
GUARD = "keyturn.django.middleware.GuardMiddleware"
DOORS = ["/me", "/me-async", "/users/ada", "/notes/1", "/notes-async/1", "/class/notes/1", "/class/notes-async/1"]


@pytest.fixture(autouse=True)
def _site(keyturn_issuer):
    LOADS.clear()
    permissions = {"notes.add_note": "notes:write"}
    setting = {"verifier": keyturn_issuer.verifier(), "permissions": permissions}
    with override_settings(ROOT_URLCONF=__name__, KEYTURN=setting, MIDDLEWARE=[CSRF], ALLOWED_HOSTS=["*"]):
        yield


@pytest.fixture(params=[[CSRF], [CSRF, GUARD]], ids=["alone", "with middleware"])
def middleware(request):
    with override_settings(MIDDLEWARE=request.param):
        yield request.param


@pytest.fixture(params=["wsgi", "asgi"])
def ask(request, middleware):
    """Sends one request as a browser would, with CSRF checks on."""

    def send(method, target, headers, **options):
        if request.param == "wsgi":
            client = Client(enforce_csrf_checks=True, raise_request_exception=False)
            return client.generic(method, target, headers=headers, **options)
        client = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)
        return asyncio.run(client.generic(method, target, headers=headers, **options))

    return send


def test_a_good_token_comes_in(ask, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    for target in ("/me", "/me-async"):
        assert json.loads(ask("GET", target, token).content) == {"subject": "ada", "user": "ada"}
    for target in DOORS:
        assert ask("GET", target, token).status_code == 200, target


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_attack_no_other_token_comes_in_and_each_hears_the_same(ask, keyturn_issuer, attack):
    headers = attack(keyturn_issuer)
    presented = attack.__name__ not in {"no_token", "another_scheme"}
    for target in DOORS:
        answer = ask("GET", target, headers)
        assert answer.status_code == 401, target
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["www-authenticate"] == (f'{CHALLENGE}, error="invalid_token"' if presented else CHALLENGE)
        assert json.loads(answer.content)["code"] == ("invalid_token" if presented else "missing_token")
    assert LOADS == []


def test_a_missing_scope_is_named_and_no_csrf_token_is_needed(ask, keyturn_issuer):
    answer = ask("POST", "/write", bearer(keyturn_issuer.token_for("ada", scopes=["notes:read"])))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="notes:write"'
    assert ask("POST", "/write", bearer(keyturn_issuer.token_for("ada", scopes=["notes:write"]))).status_code == 200


def test_an_old_sign_in_is_asked_to_step_up(ask, keyturn_issuer):
    answer = ask("POST", "/class/account", bearer(keyturn_issuer.token_for("ada", scopes=["account"], age=61)))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_user_authentication", max_age="60"'
    token = keyturn_issuer.token_for("ada", scopes=["account"], age=30)
    assert json.loads(ask("POST", "/class/account", bearer(token)).content) == {"subject": "ada"}


def test_attack_anothers_user_and_nobodys_are_the_same_to_the_caller(ask, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    refused = [ask("GET", target, token) for target in ("/users/eve", "/users/nobody", "/users/ADA")]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, refused[0].content)}
    operator = bearer(keyturn_issuer.token_for("root", scopes=["users:read"]))
    assert json.loads(ask("GET", "/users/eve", operator).content) == {"user_id": "eve"}


@pytest.mark.parametrize("door", ["/notes/", "/notes-async/", "/class/notes/", "/class/notes-async/"])
def test_attack_anothers_object_and_none_are_the_same_to_the_caller(ask, keyturn_issuer, door):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert json.loads(ask("GET", door + "1", token).content)["text"] == "mine"
    refused = [ask("GET", door + number, token) for number in "23"]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, refused[0].content)}
    assert LOADS == [1, 2, 3]


@override_settings(MIDDLEWARE=[GUARD])
def test_the_middleware_names_the_caller_or_nobody_and_refuses_bad_tokens(keyturn_issuer):
    client = Client()
    assert client.get("/who").json() == {"principal": None, "user": "nobody"}
    answer = client.get("/who", headers=bearer(keyturn_issuer.token_for("ada")))
    assert answer.json() == {"principal": "ada", "user": "ada"}
    assert client.get("/who", headers=bearer(keyturn_issuer.forged("ada"))).status_code == 401


def test_attack_a_view_that_forgot_its_guard_takes_nobody_for_signed_in(ask, middleware):
    assert ask("GET", "/open", {}).status_code == (401 if GUARD in middleware else 500)


@override_settings(MIDDLEWARE=[GUARD])
def test_the_middleware_answers_the_guard_errors_of_views():
    assert Client().get("/raises").status_code == 403


def test_what_cannot_be_known_is_503_and_no_way_in(ask, keyturn_issuer):
    class Unknown:
        def is_revoked(self, principal):
            raise Unavailable("not known", retry_after_seconds=7)

    with override_settings(KEYTURN={"verifier": keyturn_issuer.verifier(revocations=Unknown())}):
        answer = ask("GET", "/me", bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


def test_attack_an_error_inside_a_guard_opens_no_door(ask, keyturn_issuer):
    class Broken:
        def is_revoked(self, principal):
            raise RuntimeError("broken")

    with override_settings(KEYTURN={"verifier": keyturn_issuer.verifier(revocations=Broken())}):
        assert ask("GET", "/me", bearer(keyturn_issuer.token_for("ada"))).status_code == 500


def user_of(issuer, *scopes):
    return PrincipalUser(issuer.verifier().verify(issuer.token_for("ada", scopes=scopes)))


def test_attack_has_perm_is_never_true_by_itself(keyturn_issuer):
    for nobody in (user_of(keyturn_issuer), Nobody()):
        assert not nobody.has_perm("notes.add_note")
        assert not nobody.has_perms(["notes.add_note"])
        assert not nobody.has_module_perms("notes")
        assert not nobody.get_all_permissions()
        assert not nobody.is_staff
        assert not nobody.is_superuser


def test_has_perm_answers_from_scopes(keyturn_issuer):
    writer = user_of(keyturn_issuer, "notes:write", "audit.read_log")
    assert writer.has_perm("notes.add_note")
    assert writer.has_perm("audit.read_log")
    assert not writer.has_perm("notes.delete_note")
    assert writer.has_perms(["notes.add_note", "audit.read_log"])
    assert not writer.has_perms(["notes.add_note", "notes.delete_note"])
    assert writer.has_module_perms("notes")
    assert not writer.has_module_perms("note")
    assert writer.get_all_permissions() == {"notes.add_note"}


def test_attack_a_scope_is_no_permission_on_one_object(keyturn_issuer):
    writer = user_of(keyturn_issuer, "notes:write")
    assert not writer.has_perm("notes.add_note", obj=NOTES[2])
    assert not writer.get_all_permissions(obj=NOTES[2])


def test_a_user_is_read_from_the_token_and_cannot_be_changed(keyturn_issuer):
    user = user_of(keyturn_issuer)
    assert {user.pk, user.id, user.username, user.get_username(), str(user)} == {"ada"}
    assert user.is_authenticated
    with pytest.raises(AttributeError):
        user.is_superuser = True


@pytest.mark.parametrize(
    "setting",
    [
        None,
        {},
        {"issuer": "https://a.test"},
        {"issuer": "https://a.test", "audience": "b", "verify": False},
        {"issuer": "a.test", "audience": "b"},
        {"issuer": "https://a.test", "audience": "b", "leeway_seconds": 3600},
        {"verifier": 7},
        {"verifier": "json.dumps"},
    ],
    ids=repr,
)
def test_a_setting_that_is_missing_or_wrong_stops_every_request(setting, keyturn_issuer):
    with override_settings(KEYTURN=setting):
        with pytest.raises(ImproperlyConfigured):
            the_verifier()
        request = RequestFactory().get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
        with pytest.raises(ImproperlyConfigured):
            signed_in(me)(request)


def test_a_verifier_is_made_of_the_setting_or_found_by_its_path():
    with override_settings(KEYTURN={"issuer": "https://a.test", "audience": "b", "leeway_seconds": 5}):
        made = the_verifier()
        assert (made.policy.issuer, made.policy.audience, made.policy.leeway_seconds) == ("https://a.test", "b", 5)
        assert the_verifier() is made
    with override_settings(KEYTURN={"verifier": f"{__name__}.HERE"}):
        assert the_verifier() is HERE


def test_permissions_are_names_and_scopes_or_the_setting_is_refused(keyturn_issuer):
    user = user_of(keyturn_issuer)
    with (
        override_settings(KEYTURN={"permissions": {"notes.add_note": ["notes:write"]}}),
        pytest.raises(ImproperlyConfigured),
    ):
        user.has_perm("notes.add_note")


def test_nothing_is_handed_on_where_nothing_is_loaded():
    with pytest.raises(ValueError, match="nothing is loaded"):
        owns("user_id", into="user")


HERE = Verifier("https://here.test", "here")
