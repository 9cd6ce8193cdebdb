"""Every refusal of the guards, through the gatekeeper and through a small app."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import httpx
import jwt
import pytest
from fastapi import FastAPI

from service.errors import StepUpRequired, Unauthenticated
from service.kernel.ids import UserId, id_text, parse_user_id
from service.tokens.access_token import AccessTokens, Grant
from service.tokens.gatekeeper import Gatekeeper
from service.tokens.guards import Owner, RecentlySignedIn, SignedIn, owner_or, requires_scope
from service.web.problems import install
from service.web.provide import Services
from tests.guard.attacks import CHALLENGE
from tests.support.store import CountedEntropy
from tests.unit.tokens.conftest import NOW_MS
from tests.unit.tokens.test_access_token import AUDIENCE, GRANT, ISSUER

OTHER_ID = "11111111-1111-4111-8111-111111111111"
NOW_SECONDS = NOW_MS // 1000


@pytest.fixture
def ring(make_ring):
    return make_ring()


@pytest.fixture
def tokens(ring):
    return AccessTokens(
        keyring=ring,
        entropy=CountedEntropy(),
        issuer=ISSUER,
        audience=AUDIENCE,
        ttl_seconds=300,
        tells_epoch=False,
    )


@pytest.fixture
def gatekeeper(ring, clock):
    return Gatekeeper(keyring=ring, clock=clock, issuer=ISSUER, audience=AUDIENCE, leeway_seconds=2, recent_seconds=600)


async def refused(gatekeeper, *lines):
    with pytest.raises(Unauthenticated) as refusal:
        await gatekeeper.admit(list(lines))
    return refusal.value


def forge(signer, *, header=None, **claims):
    """A token of the server's own key that the server would not have made."""
    base = {
        "iss": ISSUER,
        "sub": GRANT.subject,
        "aud": AUDIENCE,
        "exp": NOW_SECONDS + 300,
        "iat": NOW_SECONDS,
        "jti": "id",
        "client_id": "first-party",
        "scope": "",
        "sid": GRANT.session_id,
        "auth_time": NOW_SECONDS,
        "amr": ["pwd"],
    }
    kept = {name: value for name, value in (base | claims).items() if value is not None}
    headers = {"typ": "at+jwt", "kid": signer.kid} | (header or {})
    return jwt.encode(kept, signer.key, algorithm=signer.algorithm.value, headers=headers)


async def test_a_caller_is_who_the_token_was_issued_to(gatekeeper, tokens):
    caller = await gatekeeper.admit([f"Bearer {await tokens.issue(GRANT, now_ms=NOW_MS)}"])
    assert id_text(caller.user_id) == GRANT.subject
    assert id_text(caller.session_id) == GRANT.session_id


async def test_without_a_token_the_challenge_names_no_error(gatekeeper):
    for lines in ([], ["Basic abc"]):
        refusal = await refused(gatekeeper, *lines)
        assert (refusal.code, refusal.headers()) == ("missing_token", {"WWW-Authenticate": CHALLENGE})


@pytest.mark.parametrize("lines", [["Bearer"], ["Bearer "], ["Bearer a b"], ["Bearer x", "Bearer x"]])
async def test_what_is_not_one_bearer_token_is_refused_without_looking_at_the_keys(gatekeeper, table, lines):
    refusal = await refused(gatekeeper, *lines)
    assert (refusal.code, refusal.headers()) == (
        "invalid_token",
        {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
    )
    assert table.reads == 0


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "e30.e30.AAAA", "." * 50])
async def test_a_token_of_the_wrong_form_asks_nothing_of_the_store(gatekeeper, table, token):
    await refused(gatekeeper, f"Bearer {token}")
    assert table.reads == 0


FORGERIES = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "https://other.example"},
    "expired": {"exp": NOW_SECONDS - 3, "iat": NOW_SECONDS - 300},
    "from the future": {"iat": NOW_SECONDS + 60, "exp": NOW_SECONDS + 300},
    "no subject": {"sub": None},
    "a subject that is no user of ours": {"sub": "client-credentials"},
    "an id that is not spelled canonically": {"sub": GRANT.subject.upper()},
    "no session": {"sid": None},
    "a session that is no id": {"sid": "x"},
    "an id token": {"header": {"typ": "JWT"}},
    "a key that is not ours": {"header": {"kid": "unknown"}},
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_token_of_our_own_key_is_refused_with(forgery, gatekeeper, ring):
    refusal = await refused(gatekeeper, f"Bearer {forge(await ring.signer(), **FORGERIES[forgery])}")
    assert refusal.code == "invalid_token"


async def test_every_refusal_of_a_token_looks_the_same(gatekeeper, ring):
    signer = await ring.signer()
    refusals = [await refused(gatekeeper, f"Bearer {forge(signer, **changes)}") for changes in FORGERIES.values()]
    assert len({(one.code, one.title, str(one.headers())) for one in refusals}) == 1


async def test_algorithm_confusion_a_public_key_is_no_hmac_secret(gatekeeper, ring):
    signer = await ring.signer()
    for algorithm, key in (("none", None), ("HS256", "k" * 32)):
        token = jwt.encode(
            {"sub": GRANT.subject}, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": signer.kid}
        )
        await refused(gatekeeper, f"Bearer {token}")


async def test_a_token_signed_by_another_process_with_a_new_key_is_taken(gatekeeper, ring, make_ring, clock):
    await ring.signer()
    other = make_ring()
    await other.rotate(begins_ms=NOW_MS)
    clock.advance(seconds=6)
    caller = await gatekeeper.admit([f"Bearer {forge(await other.signer())}"])
    assert id_text(caller.user_id) == GRANT.subject


@pytest.mark.parametrize(("age_seconds", "recent"), [(0, True), (600, True), (601, False)])
async def test_what_needs_a_recent_sign_in_is_refused_after_its_time(gatekeeper, tokens, age_seconds, recent):
    token = await tokens.issue(replace(GRANT, auth_time_seconds=NOW_SECONDS - age_seconds), now_ms=NOW_MS)
    caller = await gatekeeper.admit([f"Bearer {token}"])
    if recent:
        gatekeeper.require_recent(caller)
    else:
        with pytest.raises(StepUpRequired) as refusal:
            gatekeeper.require_recent(caller)
        assert refusal.value.max_age_seconds == 600


@pytest.fixture
async def client(gatekeeper):
    app = FastAPI()
    install(app)
    app.state.services = Services(gatekeeper)

    @app.get("/me")
    async def me(caller: SignedIn) -> str:
        return id_text(caller.user_id)

    @app.get("/recent")
    async def recent(caller: RecentlySignedIn) -> str:
        return id_text(caller.user_id)

    @app.get("/users/{user_id}")
    async def own(owner: Owner) -> str:
        return id_text(owner)

    @app.get("/any/{user_id}")
    async def anybody(user_id: Annotated[UserId, owner_or("users:read")]) -> str:
        return id_text(user_id)

    @app.get("/scoped", dependencies=[requires_scope("users:read")])
    async def scoped() -> str:
        return "in"

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def get(client, tokens):
    async def get(path, **changes):
        token = await tokens.issue(Grant(**(vars(GRANT) | changes)), now_ms=NOW_MS)
        return await client.get(path, headers={"Authorization": f"Bearer {token}"})

    return get


@pytest.mark.parametrize("path", ["/me", "/recent", f"/users/{GRANT.subject}", f"/any/{GRANT.subject}", "/scoped"])
async def test_no_guarded_door_opens_without_a_token(client, path):
    answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize("path", ["/me", "/recent", f"/users/{GRANT.subject}", f"/any/{GRANT.subject}", "/scoped"])
async def test_a_failure_inside_a_guard_opens_no_door(client, path, table, tokens):
    token = await tokens.issue(GRANT, now_ms=NOW_MS)

    async def broken():
        raise ZeroDivisionError

    tokens.keyring._snapshot = None
    table.all = broken
    answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code >= 500
    assert GRANT.subject not in answer.text


async def test_a_signed_in_caller_is_let_in(get):
    assert (await get("/me")).json() == GRANT.subject
    assert (await get("/recent")).json() == GRANT.subject


async def test_a_sign_in_too_long_ago_must_be_repeated(get):
    answer = await get("/recent", auth_time_seconds=NOW_SECONDS - 601)
    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/users/", "/any/"])
@pytest.mark.parametrize("user_id", [OTHER_ID, GRANT.subject.upper(), "x", "%00", "{" + GRANT.subject + "}"])
async def test_insecure_direct_object_reference_anothers_id_is_not_there(get, path, user_id):
    answer = await get(path + user_id)
    assert answer.status_code == 404


async def test_the_owner_is_let_in_by_id(get):
    assert (await get(f"/users/{GRANT.subject}")).json() == GRANT.subject
    assert (await get(f"/any/{GRANT.subject}")).json() == GRANT.subject


async def test_a_scope_opens_what_it_names_and_never_an_owners_own_door(get):
    assert (await get(f"/any/{OTHER_ID}", scope="users:read")).json() == OTHER_ID
    assert (await get("/any/x", scope="users:read")).status_code == 404
    assert (await get(f"/users/{OTHER_ID}", scope="users:read")).status_code == 404
    assert (await get(f"/any/{OTHER_ID}", scope="users:readx users")).status_code == 404


async def test_a_missing_scope_is_named_in_the_challenge(get):
    answer = await get("/scoped", scope="other")
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="users:read"'
    assert (await get("/scoped", scope="users:read")).json() == "in"


def test_ids_in_the_tests_are_canonical():
    assert parse_user_id(OTHER_ID)
