"""What somebody could make of one of our tokens; none of it may be accepted by anybody."""

from __future__ import annotations

import hashlib
import hmac
import json

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode, base64url_encode


def encoded(part):
    """A header or a payload as a segment."""
    return base64url_encode(json.dumps(part, separators=(",", ":")).encode()).decode()


def without_key(token, public_keys):
    """Forgeries that need nothing but a token and the published keys, by the name of the attack."""
    header, payload, signature = token.split(".")
    head, claims = (json.loads(base64url_decode(part)) for part in (header, payload))
    other = encoded(claims | {"sub": "somebody-else"})
    forged = {
        "another_subject_under_the_same_signature": f"{header}.{other}.{signature}",
        "a_changed_signature": f"{header}.{payload}.{flipped(signature)}",
        "no_signature": f"{header}.{payload}.",
        "alg_none": f"{encoded(head | {'alg': 'none'})}.{other}.",
        "alg_None_with_a_signature": f"{encoded(head | {'alg': 'None'})}.{other}.{signature}",
        "an_unknown_kid": f"{encoded(head | {'kid': 'nobody'})}.{payload}.{signature}",
    }
    for name, secret in public_keys.items():
        signed = f"{encoded(head | {'alg': 'HS256'})}.{other}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        forged[f"hs256_with_the_public_key_as_{name}"] = f"{signed}.{base64url_encode(mac).decode()}"
    return forged


def public_forms(key, jwk):
    """The public key in the forms in which somebody may take it for a secret."""
    return {
        "pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk).encode(),
    }


def with_key(claims, key, *, alg, kid, now_seconds):
    """Tokens that are signed as they should be and are not for this client, by the reason."""
    wrong = {
        "another_audience": claims | {"aud": "https://other.example"},
        "another_issuer": claims | {"iss": claims["iss"] + "/"},
        "expired": claims | {"iat": now_seconds - 700, "exp": now_seconds - 400},
    }
    headers = {"typ": "at+jwt", "kid": kid}
    tokens = {reason: jwt.encode(changed, key, algorithm=alg, headers=headers) for reason, changed in wrong.items()}
    for name, typ in {"an_id_token": "JWT", "a_logout_token": "logout+jwt"}.items():
        tokens[name] = jwt.encode(claims, key, algorithm=alg, headers=headers | {"typ": typ})
    return tokens


def flipped(segment):
    """A segment with one bit changed, in the middle, where each counts."""
    raw = bytearray(base64url_decode(segment))
    raw[len(raw) // 2] ^= 1
    return base64url_encode(bytes(raw)).decode()
