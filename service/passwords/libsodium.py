"""argon2id by libsodium, behind passlib's door: the same hashes, with the processor's vectors.

The argon2 in the usual wheel is built for the oldest processor that it may meet. libsodium asks the processor when it
starts and takes AVX2 or AVX-512 where they are there, so one build runs everywhere. What it does not know (lanes, other
types and versions, salts of another size) is left to passlib's own.
"""

from __future__ import annotations

import hmac
from typing import Any, Final

from nacl.bindings import crypto_pwhash_alg, crypto_pwhash_ALG_ARGON2ID13
from nacl.exceptions import RuntimeError as SodiumError
from passlib.hash import argon2  # type: ignore[import-untyped]

_TYPE: Final = "ID"
_VERSION: Final = 0x13
_SALT_BYTES: Final = 16
_LEAST_DIGEST_BYTES: Final = 16

# passlib decides at the first use of its class which library stands below it, and a subclass inherits that.
argon2.get_backend()


class LibsodiumArgon2(argon2):  # type: ignore[misc]
    """passlib's handler with another engine; give it to a CryptContext in place of the name ``argon2``."""

    @classmethod
    def hash(cls, secret: bytes, **settings: Any) -> str:
        """The argon2id hash of ``secret`` with the parameters of ``using``. Raises ValueError where memory is short."""
        if settings or cls.type.upper() != _TYPE or cls.parallelism != 1:
            return str(super().hash(secret, **settings))
        made = cls(
            type=cls.type,
            version=_VERSION,
            memory_cost=cls.memory_cost,
            rounds=cls.default_rounds,
            parallelism=1,
            salt=cls._generate_salt(),
        )
        made.checksum = _digest(secret, made, size_bytes=cls.checksum_size)
        return str(made.to_string())

    @classmethod
    def verify(cls, secret: bytes, hash: str) -> bool:  # noqa: A002 - the library's own name
        """Whether ``hash`` is of ``secret``. Raises ValueError for what is no argon2 hash, or where memory is short."""
        stored = cls.from_string(hash)
        if not _is_known(stored):
            return bool(super().verify(secret, hash))
        return hmac.compare_digest(_digest(secret, stored, size_bytes=len(stored.checksum)), stored.checksum)


def _is_known(stored: Any) -> bool:
    return (
        stored.type.upper() == _TYPE
        and stored.version == _VERSION
        and stored.parallelism == 1
        and not stored.data
        and len(stored.salt) == _SALT_BYTES
        and len(stored.checksum) >= _LEAST_DIGEST_BYTES
    )


def _digest(secret: bytes, parameters: Any, *, size_bytes: int) -> bytes:
    try:
        made = crypto_pwhash_alg(
            size_bytes,
            secret,
            parameters.salt,
            parameters.rounds,
            parameters.memory_cost * 1024,
            crypto_pwhash_ALG_ARGON2ID13,
        )
    except SodiumError:
        raise ValueError("libsodium could not compute argon2id") from None
    return bytes(made)
