"""The middleware for Starlette and anything else that speaks ASGI."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute

from keyturn import Requirement
from keyturn.starlette import GuardMiddleware, principal_of
from tests.guard.asgi import client_of, shake_hands
from tests.guard.attacks import ATTACKS, bearer


async def me(request):
    return JSONResponse(principal_of(request).subject)


async def maybe(request):
    return JSONResponse(request.scope["keyturn.principal"] and principal_of(request).subject)


async def live(socket):
    await socket.accept()
    await socket.send_text(principal_of(socket).subject)
    await socket.close()


@pytest.fixture
def app(keyturn_issuer):
    verifier = keyturn_issuer.verifier()

    def guarded(**options):
        return [Middleware(GuardMiddleware, verifier=verifier, **options)]

    return Starlette(
        routes=[
            Route("/me", me, middleware=guarded()),
            Route("/maybe", maybe, middleware=guarded(optional=True)),
            Route("/signed", me, middleware=guarded(optional=True)),
            Route("/open", me),
            WebSocketRoute("/live", live, middleware=guarded()),
            Mount("/admin", routes=[Route("/forgotten", me)], middleware=guarded(requirement=Requirement.of("admin"))),
        ]
    )


@pytest.fixture
def client(app):
    return client_of(app)


async def test_a_good_token_comes_in(client, keyturn_issuer):
    assert (await client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))).json() == "ada"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("path", ["/me", "/admin/forgotten", "/admin/nothing"])
async def test_attack_no_other_token_comes_in(client, keyturn_issuer, attack, path):
    answer = await client.get(path, headers=attack(keyturn_issuer))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_requirement_holds_for_everything_that_is_mounted(client, keyturn_issuer):
    refused = await client.get("/admin/forgotten", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    token = keyturn_issuer.token_for("ada", scopes=["admin"])
    assert (await client.get("/admin/forgotten", headers=bearer(token))).json() == "ada"


async def test_where_nobody_need_be_signed_in_a_bad_token_is_still_refused(client, keyturn_issuer):
    assert (await client.get("/maybe")).json() is None
    assert (await client.get("/maybe", headers=bearer(keyturn_issuer.token_for("ada")))).json() == "ada"
    assert (await client.get("/maybe", headers=bearer(keyturn_issuer.forged("ada")))).status_code == 401


async def test_attack_an_endpoint_that_was_left_open_does_not_take_anybody_for_signed_in(client, keyturn_issuer):
    assert (await client.get("/open")).status_code == 500
    assert (await client.get("/signed")).status_code == 401
    assert (await client.get("/open", headers=bearer(keyturn_issuer.token_for("ada")))).status_code == 500


async def test_a_requirement_and_an_optional_guard_contradict_each_other(app, keyturn_issuer):
    with pytest.raises(ValueError, match="nobody need be signed in"):
        GuardMiddleware(app, verifier=keyturn_issuer.verifier(), requirement=Requirement.of("a"), optional=True)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [(["websocket.http.response"], "websocket.http.response.start"), ([], "websocket.close")],
)
async def test_a_websocket_is_refused_before_its_handshake(app, keyturn_issuer, extensions, expected):
    refused = await shake_hands(app, "/live", headers=bearer(keyturn_issuer.expired("ada")), extensions=extensions)
    assert refused[0]["type"] == expected
    good = await shake_hands(app, "/live", headers=bearer(keyturn_issuer.token_for("ada")))
    assert good[1] == {"type": "websocket.send", "text": "ada"}


async def test_two_header_lines_are_refused(app, keyturn_issuer):
    token = keyturn_issuer.token_for("ada")
    async with client_of(app) as client:
        lines = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
        assert (await client.get("/me", headers=lines)).status_code == 401


async def test_what_is_no_request_passes(keyturn_issuer):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    await GuardMiddleware(app, verifier=keyturn_issuer.verifier())({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]
