"""From a JWK to a public key (RFC 7517, RFC 7518 section 6, RFC 8037): each parameter in its one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from keyturn import base64url
from keyturn.errors import KeyRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

RSA_MIN_BITS: Final = 2048
RSA_MAX_BITS: Final = 8192
RSA_EXPONENT: Final = 65537
_COORDINATE_BYTES: Final = 32


def check_public(jwk: Mapping[str, object]) -> None:
    """``jwk`` holds no private or symmetric part: an issuer that publishes one has lost it."""
    if jwk.get("kty") == "oct" or not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise KeyRefused("a key is private or symmetric")


def public_key(jwk: Mapping[str, object], *, alg: str) -> PublicKey:
    """The public key that ``jwk`` holds, of the type that ``alg`` needs.

    Raises:
        KeyRefused: the type, the curve, a parameter or the size is not right.
    """
    kty, crv, read = _READERS[alg]
    if jwk.get("kty") != kty or jwk.get("crv") != crv:
        raise KeyRefused("a key's type or curve does not fit its algorithm")
    key = _or_none(read, jwk)
    if key is None:
        raise KeyRefused("a key's parameters are not valid")
    check_fits(key, alg=alg)
    return key


def check_fits(key: PublicKey, *, alg: str) -> None:
    """``key`` has the type, curve and size that ``alg`` needs (RFC 7518 sections 3.3 and 3.4, RFC 8037)."""
    fits = False
    match key:
        case EllipticCurvePublicKey():
            fits = alg == "ES256" and isinstance(key.curve, SECP256R1)
        case RSAPublicKey():
            sound = RSA_MIN_BITS <= key.key_size <= RSA_MAX_BITS and key.public_numbers().e == RSA_EXPONENT
            fits = alg == "RS256" and sound
        case Ed25519PublicKey():
            fits = alg == "EdDSA"
    if not fits:
        raise KeyRefused("a key does not fit its algorithm")


def _or_none(read: Callable[[Mapping[str, object]], PublicKey], jwk: Mapping[str, object]) -> PublicKey | None:
    # The library says "not on the curve", "even modulus" and the like with a ValueError that may quote the numbers.
    try:
        return read(jwk)
    except ValueError:
        return None


def _elliptic(jwk: Mapping[str, object]) -> EllipticCurvePublicKey:
    x, y = (_coordinate(jwk, name) for name in ("x", "y"))
    # Building it checks that the point is on the curve.
    return EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()


def _edwards(jwk: Mapping[str, object]) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_coordinate(jwk, "x"))


def _rsa(jwk: Mapping[str, object]) -> RSAPublicKey:
    modulus = _bytes(jwk, "n")
    if len(modulus) * 8 > RSA_MAX_BITS:
        raise KeyRefused("a key is too large")
    return RSAPublicNumbers(e=_unsigned(_bytes(jwk, "e")), n=_unsigned(modulus)).public_key()


def _coordinate(jwk: Mapping[str, object], name: str) -> bytes:
    raw = _bytes(jwk, name)
    if len(raw) != _COORDINATE_BYTES:
        raise KeyRefused("a key's coordinate has the wrong size")
    return raw


def _unsigned(raw: bytes) -> int:
    # Base64urlUInt has no leading zero octet (RFC 7518 section 2).
    if raw[0] == 0:
        raise KeyRefused("a key's number has a leading zero")
    return int.from_bytes(raw)


def _bytes(jwk: Mapping[str, object], name: str) -> bytes:
    text = jwk.get(name)
    raw = base64url.decode(text) if isinstance(text, str) else None
    if not raw:
        raise KeyRefused("a key's parameter is missing or not canonical base64url")
    return raw


_READERS: Final[dict[str, tuple[str, str | None, Callable[[Mapping[str, object]], PublicKey]]]] = {
    "ES256": ("EC", "P-256", _elliptic),
    "EdDSA": ("OKP", "Ed25519", _edwards),
    "RS256": ("RSA", None, _rsa),
}
