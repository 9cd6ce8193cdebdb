"""The keys that tokens are verified with: one algorithm a key, one key a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

from keyturn.algorithms import SIGNATURE_BYTES, is_kid
from keyturn.errors import KeyRefused
from keyturn.jwk import PublicKey, check_fits, check_public, public_key

MAX_KEYS: Final = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyingKey:
    """A public key with its name and its one algorithm. One that does not fit cannot be built.

    Raises:
        KeyRefused: ``kid`` has the wrong form, or ``public_key`` is not one for ``alg``.
    """

    kid: str
    alg: str
    public_key: PublicKey

    def __post_init__(self) -> None:
        if not is_kid(self.kid):
            raise KeyRefused("a key's name has the wrong form")
        if self.alg not in SIGNATURE_BYTES:
            raise KeyRefused("a key's algorithm is not allowed")
        check_fits(self.public_key, alg=self.alg)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """The key that a public JWK with ``kid`` and ``alg`` holds.

        Raises:
            KeyRefused: it is private or symmetric, is not meant for verifying, or is not sound.
        """
        check_public(jwk)
        check_purpose(jwk)
        kid, alg = jwk.get("kid"), jwk.get("alg")
        if not isinstance(kid, str) or not isinstance(alg, str) or alg not in SIGNATURE_BYTES:
            raise KeyRefused("a key's name or algorithm is missing or not allowed")
        return cls(kid=kid, alg=alg, public_key=public_key(jwk, alg=alg))


def check_purpose(jwk: Mapping[str, object]) -> None:
    """``use`` and ``key_ops``, where present, allow verifying (RFC 7517 sections 4.2 and 4.3)."""
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused("a key is not meant for verifying")


@dataclass(frozen=True, slots=True)
class KeySet(Mapping[str, VerifyingKey]):
    """The keys of one issuer by ``kid``; never changed, only replaced. Build it with ``of`` or ``from_jwks``."""

    _keys: Mapping[str, VerifyingKey]

    @classmethod
    def of(cls, *keys: VerifyingKey) -> Self:
        """A set of these keys.

        Raises:
            KeyRefused: two keys have one name, or there are more than ``MAX_KEYS``.
        """
        by_kid = {key.kid: key for key in keys}
        if len(by_kid) != len(keys) or len(keys) > MAX_KEYS:
            raise KeyRefused("a key set has too many keys, or two of one name")
        return cls(MappingProxyType(by_kid))

    @classmethod
    def from_jwks(cls, jwks: Mapping[str, object]) -> Self:
        """The verifying keys of a JWK set (RFC 7517 section 5).

        Keys for another use and keys with an algorithm that we do not know are passed over, as the RFC asks; a private
        or symmetric key anywhere, or one of ours that is not sound, refuses the whole set.

        Raises:
            KeyRefused: see above, and for a set that is not one.
        """
        members = jwks.get("keys")
        if not isinstance(members, list) or len(members) > MAX_KEYS:
            raise KeyRefused("not a JWK set, or too many keys")
        return cls.of(*(VerifyingKey.from_jwk(jwk) for jwk in members if _is_ours(jwk)))

    def __getitem__(self, kid: str) -> VerifyingKey:
        return self._keys[kid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _is_ours(jwk: object) -> bool:
    if not isinstance(jwk, dict):
        raise KeyRefused("a key is not a JSON object")
    check_public(jwk)
    alg = jwk.get("alg")
    return jwk.get("use", "sig") == "sig" and not (isinstance(alg, str) and alg not in SIGNATURE_BYTES)
