"""A key pair that signs tokens in tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keyturn import base64url
from keyturn.keys import VerifyingKey

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key for ES256 and its name."""

    kid: str
    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls, kid: str) -> Self:
        """A fresh key."""
        return cls(kid, ec.generate_private_key(ec.SECP256R1()))

    @property
    def verifying(self) -> VerifyingKey:
        """The public part, as the guard holds it."""
        return VerifyingKey(kid=self.kid, alg="ES256", public_key=self.private.public_key())

    @property
    def jwk(self) -> dict[str, object]:
        """The public part, as an issuer publishes it (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        x, y = (base64url.encode(number.to_bytes(_NUMBER_BYTES)) for number in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "use": "sig", "x": x, "y": y}

    def sign(self, claims: Mapping[str, object], *, header: Mapping[str, object] | None = None) -> str:
        """A token of exactly these claims; ``header`` is laid over the usual one. A member of None is left out."""
        members = {"alg": "ES256", "kid": self.kid, "typ": "at+jwt"} | dict(header or {})
        text = f"{_segment(members)}.{_segment(claims)}"
        r, s = decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{base64url.encode(r.to_bytes(_NUMBER_BYTES) + s.to_bytes(_NUMBER_BYTES))}"


def _segment(members: Mapping[str, object]) -> str:
    kept = {name: value for name, value in members.items() if value is not None}
    return base64url.encode(json.dumps(kept, separators=(",", ":")).encode())
