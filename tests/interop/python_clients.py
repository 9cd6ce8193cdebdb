"""Clients in Python: each verifies access tokens as its documentation says, and answers as the programs do."""

from __future__ import annotations

import json
import urllib.request
import warnings
from typing import Any

import jwt
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["ES256", "EdDSA", "RS256"]
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]


def by_pyjwt(question):
    """PyJWT looks at no typ: who takes access tokens has to (RFC 9068 section 4)."""
    keys = jwt.PyJWKClient(question["jwks_url"], timeout=5)

    def verify(token):
        header = jwt.get_unverified_header(token)
        if header.get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("typ")
        key = keys.get_signing_key_from_jwt(token)
        expected = {"audience": question["audience"], "issuer": question["issuer"]}
        return jwt.decode(token, key, algorithms=ALGORITHMS, options={"require": REQUIRED}, **expected)

    return [_answer(verify, token, jwt.PyJWTError) for token in question["tokens"]]


def by_joserfc(question):
    """Neither does joserfc."""
    keys = KeySet.import_key_set(fetch(question["jwks_url"]))
    essential: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    essential["iss"]["value"], essential["aud"]["value"] = question["issuer"], question["audience"]
    rules = joserfc_jwt.JWTClaimsRegistry(**essential)

    def verify(token):
        decoded = joserfc_jwt.decode(token, keys, algorithms=ALGORITHMS)
        if decoded.header.get("typ") != "at+jwt":
            raise JoseError("typ")
        rules.validate(decoded.claims)
        return decoded.claims

    return [_answer(verify, token, JoseError) for token in question["tokens"]]


def by_authlib(question):
    """The validator for resource servers (RFC 9068)."""

    class Validator(JWTBearerTokenValidator):
        keys = KeySet.import_key_set(fetch(question["jwks_url"]))

        def get_jwks(self):
            return self.keys

    validator = Validator(issuer=question["issuer"], resource_server=question["audience"])

    def verify(token):
        decoded = validator.authenticate_token(token)
        validator.validate_token(decoded, None, None)
        return dict(decoded)

    return [_answer(verify, token, InvalidTokenError) for token in question["tokens"]]


def _answer(verify, token, refusal):
    try:
        with warnings.catch_warnings():
            # joserfc warns that EdDSA has a more exact name since RFC 9864.
            warnings.filterwarnings("ignore", message=".*EdDSA.*")
            return {"claims": verify(token)}
    except refusal as error:
        return {"refused": f"{type(error).__name__} {error}"}


def fetch(url):
    """The JSON document at ``url``."""
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)
