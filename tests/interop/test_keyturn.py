"""The guard library verifies the same tokens from the same JWKS as everybody else."""

from __future__ import annotations

import json
import urllib.request

import pytest

from keyturn.errors import BadSignature, Expired, WrongAudience
from keyturn.keys import KeySet
from keyturn.verifier import verify


@pytest.fixture
def expected(jwks_url, issued):
    with urllib.request.urlopen(jwks_url, timeout=5) as response:
        keys = KeySet.from_jwks(json.load(response))
    return {
        "keys": keys,
        "expected_issuer": issued.issuer,
        "expected_audience": issued.audience,
        "now_ms": issued.now_seconds * 1000,
    }


def test_a_token_of_ours_is_accepted(issued, expected):
    assert verify(issued.token, **expected).token_id == issued.claims["jti"]


def test_a_tampered_token_is_refused(issued, expected):
    with pytest.raises(BadSignature):
        verify(issued.tampered(), **expected)


def test_another_audience_is_refused(issued, expected):
    with pytest.raises(WrongAudience):
        verify(issued.token, **expected | {"expected_audience": "https://other.example"})


def test_an_expired_token_is_refused(issued, expected):
    with pytest.raises(Expired):
        verify(issued.token, **expected | {"now_ms": (issued.claims["exp"] + 2) * 1000})
