"""Django's own users, caches and class-based views beside the guards, by the ways in which they could open a door."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.decorators import login_required, permission_required
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control

from tests.guard.attacks import bearer
from tests.support.django_base import set_up

set_up()

from keyturn.django.views import GuardMixin, owns, requires, signed_in  # noqa: E402  Django has to be configured first

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
GUARD = "keyturn.django.middleware.GuardMiddleware"
CACHE = ["django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware"]


def me(request):
    return JsonResponse({"user": str(request.user)})


async def me_async(request):
    return JsonResponse({"user": str(await request.auser())})


class Me(GuardMixin, View):
    def get(self, request):
        return me(request)


@method_decorator(signed_in, name="dispatch")
class MeDecorated(View):
    async def get(self, request):
        return await me_async(request)


class MeAsync(GuardMixin, View):
    async def get(self, request):
        return await me_async(request)


urlpatterns = [
    path("me", signed_in(me)),
    path("me-async", signed_in(me_async)),
    path("class", Me.as_view()),
    path("class-async", MeAsync.as_view()),
    path("decorated-async", MeDecorated.as_view()),
    path("who", me),
    path("who-async", me_async),
    path("users/<user_id>", owns("user_id")(lambda request, user_id: me(request))),
    path("public", signed_in(cache_control(public=True)(me))),
    path("login-required", login_required(me_async)),
    path("permitted", permission_required("notes.add_note", raise_exception=True)(me_async)),
]


@pytest.fixture(autouse=True)
def site(keyturn_issuer):
    cache.clear()
    setting = {"verifier": keyturn_issuer.verifier(), "permissions": {"notes.add_note": "notes:write"}}
    engine = "django.contrib.sessions.backends.signed_cookies"
    with override_settings(ROOT_URLCONF=__name__, KEYTURN=setting, SESSION_ENGINE=engine, ALLOWED_HOSTS=["*"]):
        yield


def ask_async(target, headers):
    return asyncio.run(AsyncClient(raise_request_exception=False).get(target, headers=headers))


@pytest.mark.parametrize("middleware", [[SESSIONS, USERS], [SESSIONS, USERS, GUARD]])
@pytest.mark.parametrize("target", ["/me-async", "/class-async", "/decorated-async"])
def test_attack_principal_confusion_an_async_view_sees_the_user_of_the_token(keyturn_issuer, middleware, target):
    with override_settings(MIDDLEWARE=middleware):
        assert ask_async(target, bearer(keyturn_issuer.token_for("ada"))).json() == {"user": "ada"}


@override_settings(MIDDLEWARE=[GUARD])
def test_an_async_view_sees_nobody_where_nobody_sent_a_token():
    assert ask_async("/who-async", {}).json() == {"user": "nobody"}


@override_settings(MIDDLEWARE=[GUARD])
def test_djangos_decorators_of_async_views_know_the_caller(keyturn_issuer):
    assert ask_async("/login-required", bearer(keyturn_issuer.token_for("ada"))).json() == {"user": "ada"}
    assert ask_async("/login-required", {}).status_code == 302
    assert ask_async("/permitted", bearer(keyturn_issuer.token_for("ada"))).status_code == 403
    assert ask_async("/permitted", {}).status_code == 403
    writer = bearer(keyturn_issuer.token_for("ada", scopes=["notes:write"]))
    assert ask_async("/permitted", writer).json() == {"user": "ada"}


@override_settings(MIDDLEWARE=[SESSIONS, GUARD, USERS])
def test_attack_principal_confusion_a_site_that_would_put_its_session_over_the_token_does_not_start():
    with pytest.raises(ImproperlyConfigured, match="after"):
        Client().get("/who")


def test_attack_a_mixin_that_comes_too_late_to_guard_is_refused_where_the_class_is_written():
    class Site(View):
        def dispatch(self, request, *args, **parameters):
            return HttpResponse("open")

    for bases in ((View, GuardMixin), (Site, Me)):
        with pytest.raises(TypeError, match="GuardMixin"):
            type("Late", bases, {})
    assert type("InTime", (Me, Site), {})
    assert type("Beside", (GuardMixin, View), {"dispatch": lambda self, request: HttpResponse()})


class Revocations:
    word = False

    def is_revoked(self, principal):
        return self.word


@pytest.mark.parametrize("target", ["/me", "/class", "/users/ada", "/me-async", "/class-async"])
def test_attack_a_cache_in_front_of_the_guards_lets_nobody_in(keyturn_issuer, target):
    revocations = Revocations()
    verifier = keyturn_issuer.verifier(revocations=revocations)
    token = bearer(keyturn_issuer.token_for("ada"))
    with override_settings(MIDDLEWARE=CACHE, KEYTURN={"verifier": verifier}):
        answer = Client().get(target, headers=token)
        assert answer.status_code == 200
        assert {"Authorization"} <= set(answer.headers["vary"].split(", "))
        assert answer.headers["cache-control"] == "private"
        assert Client().get(target).status_code == 401
        revocations.word = True
        assert Client().get(target, headers=token).status_code == 401


def test_attack_a_cache_before_the_middleware_keeps_nothing_that_a_token_opened(keyturn_issuer):
    revocations = Revocations()
    verifier = keyturn_issuer.verifier(revocations=revocations)
    token = bearer(keyturn_issuer.token_for("ada"))
    with override_settings(MIDDLEWARE=[*CACHE, GUARD], KEYTURN={"verifier": verifier}):
        assert Client().get("/who", headers=token).json() == {"user": "ada"}
        assert Client().get("/who").json() == {"user": "nobody"}
        revocations.word = True
        assert Client().get("/who", headers=token).status_code == 401


@override_settings(MIDDLEWARE=[])
def test_what_a_view_says_of_caches_itself_stands(keyturn_issuer):
    answer = Client().get("/public", headers=bearer(keyturn_issuer.token_for("ada")))
    assert answer.headers["cache-control"] == "public"
    assert answer.headers["vary"] == "Authorization"


@override_settings(MIDDLEWARE=[])
def test_parameters_without_a_name_reach_a_view_that_needs_no_owner(keyturn_issuer, rf_request):
    view = requires()(lambda request, number: HttpResponse(number))
    assert view(rf_request(bearer(keyturn_issuer.token_for("ada"))), "7").content == b"7"


@pytest.fixture
def rf_request():
    from django.test import RequestFactory

    return lambda headers: RequestFactory().get("/", headers=headers)
