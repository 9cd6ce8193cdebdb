"""The issuer of the pytest plugin: its tokens are Keyturn's, and each bad one is bad for one reason."""

from __future__ import annotations

import base64
import json

import pytest

from keyturn import Requirement, Verifier, errors
from keyturn.keys import KeySet
from keyturn.testing.issuer import OfflineIssuer


def parts(token):
    """Header and claims, unproven."""
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        ("expired", "expired"),
        ("wrong_audience", "wrong_audience"),
        ("wrong_issuer", "wrong_issuer"),
        ("forged", "bad_signature"),
        ("unknown_key", "unknown_key"),
    ],
)
def test_each_bad_token_is_bad_for_its_own_reason(keyturn_issuer, make, code):
    token = getattr(keyturn_issuer, make)("somebody", scopes=["notes:read"])
    assert parts(token)[1]["sub"] == "somebody"
    with pytest.raises(errors.TokenError) as refusal:
        keyturn_issuer.verifier().verify(token)
    assert refusal.value.code == code


def test_a_refresh_token_is_no_access_token(keyturn_issuer):
    with pytest.raises(errors.Malformed):
        keyturn_issuer.verifier().verify(keyturn_issuer.refresh_token())


def test_a_token_says_what_was_asked_for(keyturn_issuer, clock):
    issuer = OfflineIssuer(clock=clock)
    principal = issuer.verifier(audience="other").verify(
        issuer.token_for(
            "user",
            scopes=["a", "b"],
            amr=["pwd", "otp"],
            acr="urn:two",
            age=90,
            audience="other",
            session="mine",
            client_id="app",
            lifetime=60,
            issued_ago=10,
            claims={"org": "acme"},
        )
    )
    now = clock.now_ms() // 1000
    assert (principal.subject, principal.session_id, principal.client_id) == ("user", "mine", "app")
    assert (principal.scopes, principal.amr, principal.acr) == ({"a", "b"}, ("pwd", "otp"), "urn:two")
    assert (principal.auth_time, principal.issued_at, principal.expires_at) == (now - 90, now - 10, now + 50)
    assert principal.claims["org"] == "acme"


def test_time_passes_for_the_issuer_and_its_verifiers_alike(clock):
    issuer = OfflineIssuer(clock=clock)
    guard, token = issuer.verifier(), issuer.token_for("user")
    clock.advance(seconds=290)
    guard.require(guard.verify(token), Requirement(max_age_seconds=290))
    clock.advance(seconds=12)
    with pytest.raises(errors.Expired):
        guard.verify(token)


def test_keys_rotate_and_retire(keyturn_issuer):
    guard, old = keyturn_issuer.verifier(), keyturn_issuer.token_for("user")
    keyturn_issuer.rotate()
    new = keyturn_issuer.token_for("user")
    assert parts(old)[0]["kid"] != parts(new)[0]["kid"]
    assert guard.verify(old).subject == guard.verify(new).subject == "user"
    keyturn_issuer.retire()
    assert guard.verify(new).subject == "user"
    with pytest.raises(errors.UnknownKey):
        guard.verify(old)


def test_a_revoked_session_is_dead_and_others_live(keyturn_issuer):
    guard = keyturn_issuer.verifier()
    first, second, other = (keyturn_issuer.token_for("user", session=name) for name in ("one", "one", "two"))
    keyturn_issuer.revoke(first)
    for token in (first, second):
        with pytest.raises(errors.Revoked):
            guard.verify(token)
    assert guard.verify(other).session_id == "two"


def test_two_issuers_believe_nothing_of_each_other(keyturn_issuer):
    other = OfflineIssuer()
    with pytest.raises(errors.BadSignature):
        keyturn_issuer.verifier().verify(other.token_for("user"))


def test_a_header_for_a_client_is_what_the_guard_reads(keyturn_issuer):
    headers = keyturn_issuer.headers_for("user", scopes=["notes:read"])
    assert keyturn_issuer.verifier().authenticate([headers["Authorization"]]).has_scope("notes:read")


def test_its_key_set_reads_as_one(keyturn_issuer):
    keyturn_issuer.rotate()
    keys = KeySet.from_jwks(keyturn_issuer.jwks())
    assert dict(keys) == keyturn_issuer.keys() == dict(keyturn_issuer.live_keys())
    assert len(keyturn_issuer.live_keys()) == 2


def test_a_verifier_of_ones_own_follows_its_keys(keyturn_issuer):
    guard = Verifier(keyturn_issuer.issuer, keyturn_issuer.audience, keys=keyturn_issuer.live_keys())
    keyturn_issuer.rotate()
    assert guard.verify(keyturn_issuer.token_for("user")).subject == "user"
