"""A client that has nothing but PyJWT verifies our tokens from the JWKS."""

from __future__ import annotations

import jwt
import pytest

ALGORITHMS = ["ES256", "EdDSA", "RS256"]


@pytest.fixture
def verify(jwks_url):
    def verified(token, **expected):
        key = jwt.PyJWKClient(jwks_url, timeout=5).get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=ALGORITHMS, leeway=2, **expected)

    return verified


def test_a_token_of_ours_is_accepted(verify, issued):
    assert verify(issued.token, audience=issued.audience, issuer=issued.issuer) == issued.claims


def test_a_tampered_token_is_refused(verify, issued):
    with pytest.raises(jwt.InvalidSignatureError):
        verify(issued.tampered(), audience=issued.audience, issuer=issued.issuer)


def test_another_audience_is_refused(verify, issued):
    with pytest.raises(jwt.InvalidAudienceError):
        verify(issued.token, audience="https://other.example", issuer=issued.issuer)


def test_another_issuer_is_refused(verify, issued):
    with pytest.raises(jwt.InvalidIssuerError):
        verify(issued.token, audience=issued.audience, issuer=issued.issuer + "/")


def test_each_published_key_says_what_it_is_for(jwks_url):
    keys = jwt.PyJWKClient(jwks_url, timeout=5).fetch_data()["keys"]
    assert all(key["use"] == "sig" and key["alg"] in ALGORITHMS and key["kid"] for key in keys)
    assert len({key["kid"] for key in keys}) == len(keys)
