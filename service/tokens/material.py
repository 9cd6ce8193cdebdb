"""Key material: made, turned to bytes for wrapping, loaded for signing, and described as a public JWK (RFC 7517)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, assert_never

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from service.tokens.model import Algorithm

if TYPE_CHECKING:
    from collections.abc import Mapping

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_RSA_BITS = 3072
_RSA_EXPONENT = 65537
_P256_BYTES = 32
_THUMBPRINT_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


def generate(algorithm: Algorithm) -> PrivateKey:
    """A fresh key; its chance is OpenSSL's own, the one draw that no port can stand for."""
    match algorithm:
        case Algorithm.ES256:
            return ec.generate_private_key(ec.SECP256R1())
        case Algorithm.EDDSA:
            return ed25519.Ed25519PrivateKey.generate()
        case Algorithm.RS256:
            return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)
        case _:
            assert_never(algorithm)


def to_der(key: PrivateKey) -> bytes:
    """PKCS #8, unencrypted: for the wrapper's eyes only."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def from_der(der: bytes) -> PrivateKey:
    """The key in ``der``. Raises TypeError when it is of a kind that we do not sign with."""
    key = load_der_private_key(der, password=None)
    if not isinstance(key, PrivateKey):
        raise TypeError("not a signing key of ours")
    return key


def public_jwk(key: PrivateKey, algorithm: Algorithm) -> dict[str, str]:
    """The public JWK, with ``kid`` (RFC 7638 thumbprint), ``alg`` and ``use``."""
    members = _public_members(key)
    return {**members, "kid": thumbprint(members), "alg": algorithm.value, "use": "sig"}


def thumbprint(members: Mapping[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members in lexical order."""
    required = {name: members[name] for name in _THUMBPRINT_MEMBERS[members["kty"]]}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    return _b64(hashlib.sha256(canonical.encode()).digest())


def _public_members(key: PrivateKey) -> dict[str, str]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        x, y = point.x.to_bytes(_P256_BYTES), point.y.to_bytes(_P256_BYTES)
        return {"kty": "EC", "crv": "P-256", "x": _b64(x), "y": _b64(y)}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _b64(raw)}
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": _b64_int(numbers.n), "e": _b64_int(numbers.e)}


def _b64_int(number: int) -> str:
    return _b64(number.to_bytes((number.bit_length() + 7) // 8))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
