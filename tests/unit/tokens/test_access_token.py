from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from keyturn.testing.issuer import OfflineIssuer
from keyturn.verifier import verify
from service.errors import Unavailable
from service.tokens.access_token import AccessTokens, Grant
from service.tokens.model import Algorithm
from tests.support.store import CountedEntropy
from tests.unit.tokens.conftest import NOW_MS, make_wrapper

ISSUER, AUDIENCE = "https://auth.example.com", "https://api.example.com"
GRANT = Grant(
    subject="9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d",
    session_id="0b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d",
    client_id="first-party",
    scope="a b",
    auth_time_seconds=NOW_MS // 1000 - 60,
    amr=("pwd",),
    acr="aal1",
    epoch=3,
)


@pytest.fixture
def make_tokens(make_ring):
    def make(*, tells_epoch=False, **changes):
        return AccessTokens(
            keyring=make_ring(**changes),
            entropy=CountedEntropy(),
            issuer=ISSUER,
            audience=AUDIENCE,
            ttl_seconds=300,
            tells_epoch=tells_epoch,
        )

    return make


def parts(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


async def test_the_claims_are_exactly_these(make_tokens):
    tokens = make_tokens()
    header, claims = parts(await tokens.issue(GRANT, now_ms=NOW_MS + 999))
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": (await tokens.keyring.signer()).kid}
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": GRANT.subject,
        "aud": AUDIENCE,
        "exp": NOW_MS // 1000 + 300,
        "iat": NOW_MS // 1000,
        "client_id": "first-party",
        "scope": "a b",
        "sid": GRANT.session_id,
        "auth_time": NOW_MS // 1000 - 60,
        "amr": ["pwd"],
        "acr": "aal1",
    }


async def test_beside_a_revocation_feed_a_token_tells_the_epoch_of_its_session(make_tokens):
    issued = [await make_tokens(tells_epoch=on).issue(GRANT, now_ms=NOW_MS) for on in (False, True)]
    (_, plain), (_, telling) = map(parts, issued)
    assert telling.keys() - plain.keys() == {"epoch"}
    assert telling["epoch"] == 3


async def test_a_process_that_stood_still_before_signing_makes_no_token_that_lives_longer(make_tokens, clock):
    clock.advance(seconds=3600)
    _, claims = parts(await make_tokens().issue(GRANT, now_ms=NOW_MS))
    assert (claims["iat"], claims["exp"]) == (NOW_MS // 1000, NOW_MS // 1000 + 300)


@pytest.mark.parametrize("algorithm", list(Algorithm), ids=str)
async def test_the_guard_library_takes_a_token_of_each_algorithm(make_tokens, algorithm):
    tokens = make_tokens(algorithm=algorithm)
    principal = verify(
        await tokens.issue(GRANT, now_ms=NOW_MS),
        keys=(await tokens.keyring.jwks()).keys,
        expected_issuer=ISSUER,
        expected_audience=AUDIENCE,
        now_ms=NOW_MS,
        max_lifetime_seconds=300,
    )
    assert (principal.subject, principal.session_id, principal.client_id) == (
        GRANT.subject,
        GRANT.session_id,
        "first-party",
    )
    assert (principal.scopes, principal.amr, principal.acr) == (frozenset({"a", "b"}), ("pwd",), "aal1")


async def test_no_two_tokens_have_one_id(make_tokens):
    tokens = make_tokens()
    ids = {parts(await tokens.issue(GRANT, now_ms=NOW_MS))[1]["jti"] for _ in range(20)}
    assert len(ids) == 20
    assert all(len(base64.urlsafe_b64decode(token_id + "==")) == 16 for token_id in ids)


async def test_a_token_without_a_scope_has_no_claim_of_it_and_the_guard_reads_none(make_tokens):
    """RFC 9068 section 2.2.3: the grammar of RFC 6749 section 3.3 knows no empty scope."""
    tokens = make_tokens()
    token = await tokens.issue(replace(GRANT, scope=""), now_ms=NOW_MS)
    assert "scope" not in parts(token)[1]
    keys = (await tokens.keyring.jwks()).keys
    principal = verify(token, keys=keys, expected_issuer=ISSUER, expected_audience=AUDIENCE, now_ms=NOW_MS)
    assert principal.scopes == frozenset()


class CountingWrapper:
    """Opens wrapped keys, and counts how often."""

    def __init__(self):
        self.opened = 0
        self._real = make_wrapper()

    async def wrap(self, plain, *, context):
        return await self._real.wrap(plain, context=context)

    async def unwrap(self, wrapped, *, context):
        self.opened += 1
        return await self._real.unwrap(wrapped, context=context)


async def test_the_signing_key_is_opened_and_loaded_once_for_many_tokens(make_tokens):
    tokens = make_tokens(wrapper=(wrapper := CountingWrapper()))
    loaded = (await tokens.keyring.signer()).key
    for _ in range(3):
        await tokens.issue(GRANT, now_ms=NOW_MS)
    assert wrapper.opened == 1
    assert (await tokens.keyring.signer()).key is loaded


async def test_without_a_key_nothing_is_signed(make_tokens, table):
    table.away = True
    with pytest.raises(Unavailable):
        await make_tokens().issue(GRANT, now_ms=NOW_MS)


async def test_the_guards_offline_issuer_makes_tokens_of_this_form(make_tokens):
    """What a service is tested with must be what it will meet."""
    made = parts(OfflineIssuer().token_for("user", scopes=["a", "b"]))
    for ours, theirs in zip(parts(await make_tokens().issue(GRANT, now_ms=NOW_MS)), made, strict=True):
        assert {name: type(value) for name, value in ours.items()} == {
            name: type(value) for name, value in theirs.items()
        }
    assert made[1]["acr"] == GRANT.acr
