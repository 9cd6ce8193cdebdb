"""All routes: each is guarded or on a short list, each reads strictly, none takes a secret from a query."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from service.revocations.guards import feed_reader
from service.tokens.guards import signed_in
from service.web.strict_query import declared_names
from service.web.strict_route import StrictRoute

PUBLIC = {
    ("POST", "/v1/register"),
    ("POST", "/v1/email/verify"),
    ("POST", "/v1/email/resend"),
    ("POST", "/v1/password/check"),
    ("POST", "/v1/login"),
    ("POST", "/v1/refresh"),
    ("POST", "/v1/logout"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    # Pages behind mailed links: looking changes nothing, and the mailed token is the proof.
    ("GET", "/email/verify"),
    ("HEAD", "/email/verify"),
    ("POST", "/email/verify"),
    ("GET", "/password/reset"),
    ("HEAD", "/password/reset"),
    ("POST", "/password/reset"),
    ("GET", "/email/change"),
    ("HEAD", "/email/change"),
    ("POST", "/email/change"),
}
"""Who calls these proves itself in the body, or learns what anybody may know."""

PUBLIC_LATER = {
    # Password recovery: the address is no proof, the mailed token is.
    ("POST", "/v1/password/forgot"),
    ("POST", "/v1/password/reset"),
    ("POST", "/v1/email/change/confirm"),
}

GUARDS = {signed_in, feed_reader}
"""A user's access token, or the key of a service that polls the revocation feed."""

_CREDENTIAL = re.compile(r"passw|secret|token|code|credential|auth|key|otp|cookie|email|identifier", re.IGNORECASE)


@pytest.fixture
def routes(make_app):
    """Every route of the served application, however deep it was included."""
    return list(iter_route_contexts(make_app(env="prod").routes))


def names(routes):
    return {(method, route.path) for route in routes for method in route.methods}


def calls(dependant):
    """Every callable in the graph of a route's dependencies."""
    found = {dependant.call}
    for inner in dependant.dependencies:
        found |= calls(inner)
    return found


def is_guarded(route):
    return bool(GUARDS & calls(route.original_route.dependant))


def test_the_walk_finds_every_route_that_openapi_knows(make_app, routes):
    paths = make_app().openapi()["paths"]
    documented = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    # Pages are for people, and in no document of the API.
    assert documented == names(route for route in routes if route.include_in_schema)
    assert len(routes) >= 18


def test_each_route_is_guarded_or_on_the_public_list(routes):
    open_doors = {(method, route.path) for route in routes if not is_guarded(route) for method in route.methods}
    assert open_doors - PUBLIC_LATER == PUBLIC


def test_a_guard_that_is_forgotten_is_found(make_app):
    app = make_app(env="prod")

    @app.get("/v1/forgotten")
    async def forgotten() -> None: ...

    found = [route for route in iter_route_contexts(app.routes) if not is_guarded(route)]
    assert ("GET", "/v1/forgotten") in names(found)


def test_each_route_reads_strictly(routes):
    for route in routes:
        assert isinstance(route.original_route, StrictRoute), route.path


def test_no_route_takes_a_credential_from_its_query(routes):
    for route in routes:
        declared = declared_names(route.original_route.dependant)
        assert not [name for name in declared if _CREDENTIAL.search(name)], route.path


def test_no_route_takes_a_credential_from_its_path(routes):
    for route in routes:
        parameters = set(re.findall(r"{(\w+)", route.path))
        assert parameters <= {"user_id", "session_id"}, route.path


def test_a_slash_too_many_is_not_redirected(make_app):
    app = make_app()
    assert app.router.redirect_slashes is False


def test_prod_serves_no_document_and_no_page_about_itself(make_app):
    app = make_app(env="prod")
    assert (app.openapi_url, app.docs_url, app.redoc_url) == (None, None, None)
    assert all(isinstance(route.original_route, APIRoute) for route in iter_route_contexts(app.routes))
    assert app.debug is False


def test_each_route_says_what_it_does_and_belongs_to_a_feature(routes):
    for route in routes:
        assert route.original_route.summary, route.path
        assert route.original_route.tags, route.path
        assert route.endpoint.__module__.startswith("service."), route.path
