"""Our compact form around PyJWT's signature is the one that PyJWT makes."""

from __future__ import annotations

import jwt
import pytest

from service.tokens import material
from service.tokens.jws import sign
from service.tokens.model import Algorithm
from service.tokens.snapshot import Signer

CLAIMS = {"iss": "https://a.example.com", "sub": "é", "exp": 4_000_000_000, "amr": ["pwd", "otp"], "scope": ""}


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_token_says_what_pyjwts_own_says(algorithm):
    key = material.generate(algorithm)
    ours = sign(CLAIMS, signer=Signer(kid="k1", algorithm=algorithm, key=key), typ="at+jwt")
    theirs = jwt.encode(CLAIMS, key, algorithm=algorithm.value, headers={"kid": "k1", "typ": "at+jwt"})
    assert jwt.get_unverified_header(ours) == jwt.get_unverified_header(theirs)
    for token in (ours, theirs):
        assert jwt.decode(token, key.public_key(), algorithms=[algorithm.value]) == CLAIMS
    assert "=" not in ours


def test_the_kept_headers_are_of_their_own_keys():
    key = material.generate(Algorithm.ES256)
    tokens = [
        sign(CLAIMS, signer=Signer(kid=kid, algorithm=Algorithm.ES256, key=key), typ=typ)
        for kid, typ in (("k1", "at+jwt"), ("k2", "at+jwt"), ("k1", "other"), ("k1", "at+jwt"))
    ]
    headers = [jwt.get_unverified_header(token) for token in tokens]
    assert [(one["kid"], one["typ"]) for one in headers] == [
        ("k1", "at+jwt"),
        ("k2", "at+jwt"),
        ("k1", "other"),
        ("k1", "at+jwt"),
    ]
