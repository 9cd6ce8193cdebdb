"""What the tests of interoperation take in: where the JWKS is, and tokens that belong to it.

To point them at a running service, override the fixtures ``jwks_url`` and ``issued``; the tests stay as they are.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://auth.example"
AUDIENCE = "https://api.example"
LIFE_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A token with what its verifier is told to expect."""

    token: str
    issuer: str
    audience: str
    now_seconds: int
    claims: dict[str, Any] = field(repr=False)

    def tampered(self) -> str:
        """The token with another subject under the same signature."""
        header, _, signature = self.token.split(".")
        claims = json.dumps(self.claims | {"sub": "somebody-else"}).encode()
        return f"{header}.{jwt.utils.base64url_encode(claims).decode()}.{signature}"


@pytest.fixture(scope="session")
def signing_keys():
    rs = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "RS256": rs,
    }


@pytest.fixture(scope="session")
def jwks(signing_keys):
    to_jwk = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm, "RS256": RSAAlgorithm}
    keys = [
        dict(to_jwk[alg].to_jwk(key.public_key(), as_dict=True)) | {"kid": f"key-{alg}", "alg": alg, "use": "sig"}
        for alg, key in signing_keys.items()
    ]
    for key in keys:
        key.pop("key_ops", None)
    return {"keys": keys}


@pytest.fixture(scope="session")
def jwks_url(jwks):
    """The address of the JWKS; here a server of our own on the loopback."""
    body = json.dumps(jwks).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/jwk-set+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/.well-known/jwks.json"
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture(scope="session")
def issue(signing_keys):
    """Answers a token as we issue it, in one of the algorithms that we sign with."""

    def token(alg):
        now_seconds = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": "0b0f6a52-6d5e-4c59-8a55-2f4d0a0c7a01",
            "aud": AUDIENCE,
            "exp": now_seconds + LIFE_SECONDS,
            "iat": now_seconds,
            "jti": "c1b0a6f0-7b1c-4f53-9f0e-3d5f0e5b1c02",
            "client_id": "first-party",
            "scope": "profile",
            "sid": "7d3a9b1e-2f64-4f0f-8a0d-5a4c3b2d1e03",
            "auth_time": now_seconds,
            "amr": ["pwd"],
            "acr": "1",
        }
        headers = {"typ": "at+jwt", "kid": f"key-{alg}"}
        token = jwt.encode(claims, signing_keys[alg], algorithm=alg, headers=headers)
        return Issued(token=token, issuer=ISSUER, audience=AUDIENCE, now_seconds=now_seconds, claims=claims)

    return token


@pytest.fixture(params=["ES256", "EdDSA", "RS256"])
def issued(request, issue):
    """Such a token in each of them."""
    return issue(request.param)


@pytest.fixture(scope="session")
def claims_of():
    """Answers the claims of a token; whether they are true is for others to say."""
    return lambda token: json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
