"""The guards of FastAPI, by the attacks that they are there for."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket

from keyturn import Principal
from keyturn.errors import InsufficientScope, Unavailable
from keyturn.fastapi import RESPONSES, Guard
from tests.guard.asgi import client_of, shake_hands
from tests.guard.attacks import ATTACKS, CHALLENGE, bearer

NOTES = {1: {"owner_id": "ada", "text": "mine"}, 2: {"owner_id": "eve", "text": "hers"}}


def application(guard, *, install=True):  # noqa: C901 - one route a guard
    app = FastAPI()
    loads = app.state.loads = []
    if install:
        guard.install(app)

    async def load_note(note_id: int):
        loads.append(note_id)
        return NOTES.get(note_id)

    @app.get("/me")
    async def me(caller: Annotated[Principal, guard.signed_in]):
        return {"subject": caller.subject}

    @app.post("/notes", responses=RESPONSES)
    async def write(caller: Annotated[Principal, guard.requires("notes:write")]):
        return {"subject": caller.subject}

    @app.delete("/account", dependencies=[guard.requires(max_age_seconds=60)])
    async def close():
        return {"closed": True}

    @app.get("/users/{user_id}")
    async def user(user_id: str, caller: Annotated[Principal, guard.owns("user_id", or_scope="users:read")]):
        return {"user_id": user_id, "by": caller.subject}

    @app.get("/notes/{note_id}")
    async def note(note: Annotated[dict, guard.owns(load_note)]):
        return note

    @app.get("/raises")
    async def raises():
        raise InsufficientScope("notes:write")

    @app.websocket("/live")
    async def live(socket: WebSocket, caller: Annotated[Principal, guard.signed_in]):
        await socket.accept()
        await socket.send_text(caller.subject)
        await socket.close()

    return app


@pytest.fixture
def guard(keyturn_issuer):
    return Guard(keyturn_issuer.verifier())


@pytest.fixture
def client(guard):
    return client_of(application(guard))


async def test_a_good_token_comes_in(client, keyturn_issuer):
    answer = await client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.json()) == (200, {"subject": "ada"})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("path", ["/me", "/users/ada", "/notes/1", "/notes/not-a-number"])
async def test_attack_no_other_token_comes_in_and_each_hears_the_same(client, keyturn_issuer, attack, path):
    answer = await client.get(path, headers=attack(keyturn_issuer))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    presented = attack.__name__ not in {"no_token", "another_scheme"}
    assert answer.headers["www-authenticate"] == (f'{CHALLENGE}, error="invalid_token"' if presented else CHALLENGE)
    assert answer.json()["code"] == ("invalid_token" if presented else "missing_token")
    assert client._transport.app.state.loads == []


async def test_a_missing_scope_is_named(client, keyturn_issuer):
    answer = await client.post("/notes", headers=bearer(keyturn_issuer.token_for("ada", scopes=["notes:read"])))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="notes:write"'
    assert (
        await client.post("/notes", headers=bearer(keyturn_issuer.token_for("ada", scopes=["notes:write"])))
    ).is_success


async def test_an_old_sign_in_is_asked_to_step_up(client, keyturn_issuer):
    answer = await client.delete("/account", headers=bearer(keyturn_issuer.token_for("ada", age=61)))
    assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_user_authentication", max_age="60"'
    assert (await client.delete("/account", headers=bearer(keyturn_issuer.token_for("ada", age=30)))).is_success


async def test_attack_anothers_user_and_nobodys_are_the_same_to_the_caller(client, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert (await client.get("/users/ada", headers=token)).json() == {"user_id": "ada", "by": "ada"}
    refused = [await client.get(path, headers=token) for path in ("/users/eve", "/users/nobody", "/users/ADA")]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, refused[0].content)}
    operator = bearer(keyturn_issuer.token_for("root", scopes=["users:read"]))
    assert (await client.get("/users/eve", headers=operator)).json()["user_id"] == "eve"


async def test_attack_anothers_object_and_none_are_the_same_to_the_caller(client, keyturn_issuer):
    token = bearer(keyturn_issuer.token_for("ada"))
    assert (await client.get("/notes/1", headers=token)).json()["text"] == "mine"
    refused = [await client.get(path, headers=token) for path in ("/notes/2", "/notes/3")]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, refused[0].content)}
    assert client._transport.app.state.loads == [1, 2, 3]


async def test_a_token_is_verified_once_for_all_guards_of_a_route(keyturn_issuer):
    verifier, asked = keyturn_issuer.verifier(), []
    guard = Guard(verifier)
    authenticate = verifier.authenticate_async

    async def counted(lines):
        asked.append(lines)
        return await authenticate(lines)

    verifier.authenticate_async = counted
    app = FastAPI(dependencies=[guard.signed_in])

    @app.get("/users/{user_id}", dependencies=[guard.requires("a"), guard.owns("user_id")])
    async def user(user_id: str, caller: Annotated[Principal, guard.requires("b")]):
        return [user_id, caller.subject]

    token = keyturn_issuer.token_for("ada", scopes=["a", "b"])
    assert (await client_of(app).get("/users/ada", headers=bearer(token))).is_success
    assert len(asked) == 1


async def test_attack_a_router_with_a_guard_has_no_open_route(guard, keyturn_issuer):
    router = APIRouter(prefix="/admin", dependencies=[guard.requires("admin")])

    @router.get("/forgotten")
    async def forgotten():
        return "secret"

    app = FastAPI()
    guard.install(app)
    app.include_router(router)
    client = client_of(app)
    assert (await client.get("/admin/forgotten")).status_code == 401
    assert (await client.get("/admin/forgotten", headers=bearer(keyturn_issuer.token_for("ada")))).status_code == 403


async def test_refusals_are_right_although_no_handler_is_installed(guard, keyturn_issuer):
    client = client_of(application(guard, install=False))
    assert (await client.get("/me")).headers["www-authenticate"] == CHALLENGE
    answer = await client.get("/users/eve", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


async def test_an_endpoints_own_guard_error_is_answered_as_one(client):
    answer = await client.get("/raises")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_what_cannot_be_known_is_503_and_no_way_in(keyturn_issuer):
    class Unknown:
        def is_revoked(self, principal):
            raise Unavailable("not known", retry_after_seconds=7)

    client = client_of(application(Guard(keyturn_issuer.verifier(revocations=Unknown()))))
    answer = await client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_attack_an_error_inside_a_guard_opens_no_door(keyturn_issuer):
    class Broken:
        def is_revoked(self, principal):
            raise RuntimeError("broken")

    app = application(Guard(keyturn_issuer.verifier(revocations=Broken())))
    client = client_of(app)
    assert (await client.get("/me", headers=bearer(keyturn_issuer.token_for("ada")))).status_code == 500


async def test_a_websocket_is_refused_before_its_handshake(client, keyturn_issuer):
    app = client._transport.app
    good = await shake_hands(app, "/live", headers=bearer(keyturn_issuer.token_for("ada")))
    assert [message["type"] for message in good] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert good[1]["text"] == "ada"
    refused = await shake_hands(app, "/live", headers=bearer(keyturn_issuer.forged("ada")))
    assert refused[0]["type"] == "websocket.http.response.start"
    assert refused[0]["status"] == 401


async def test_the_api_document_names_the_scheme_and_the_refusals(client):
    document = client._transport.app.openapi()
    assert document["components"]["securitySchemes"]["accessToken"]["scheme"] == "bearer"
    guarded = {path for path, item in document["paths"].items() if any("security" in one for one in item.values())}
    assert guarded == {"/me", "/notes", "/account", "/users/{user_id}", "/notes/{note_id}"}
    assert {"401", "403", "404", "503"} <= set(document["paths"]["/notes"]["post"]["responses"])


async def test_a_plain_loader_with_dependencies_of_its_own_works(guard, keyturn_issuer):
    def table():
        return NOTES

    def load(note_id: int, notes: Annotated[dict, Depends(table)]):
        return notes.get(note_id)

    app = FastAPI()

    @app.get("/notes/{note_id}")
    def note(note: Annotated[dict, guard.owns(load, owner=lambda note: note["owner_id"], or_scope="notes:all")]):
        return note["text"]

    client = client_of(app)
    assert (await client.get("/notes/1", headers=bearer(keyturn_issuer.token_for("ada")))).json() == "mine"
    assert (await client.get("/notes/1", headers=bearer(keyturn_issuer.token_for("eve")))).status_code == 404
    assert (
        await client.get("/notes/1", headers=bearer(keyturn_issuer.token_for("o", scopes=["notes:all"])))
    ).is_success
