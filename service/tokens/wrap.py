"""Wrapping private keys: what lies in the table is of no use without a key that does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.kernel.derive import purpose_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.kernel.entropy import Entropy

_NONCE_BYTES = 12
_VERSION = 1


class UnwrapError(Exception):
    """The wrapped key was changed, belongs to another record, or was wrapped with a key that we do not have."""


class KeyWrapper(Protocol):
    """Encrypts small secrets under a key-encryption key; ``context`` binds them to their place."""

    async def wrap(self, plain: bytes, *, context: bytes) -> bytes:
        """``plain`` so that only this wrapper, given the same ``context``, can read it."""
        ...

    async def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """What was wrapped. Raises UnwrapError."""
        ...


@dataclass(frozen=True, kw_only=True)
class LocalWrapper:
    """AES-256-GCM (NIST SP 800-38D) under keys from a setting; the active one wraps, the older ones still unwrap."""

    keys: Mapping[int, bytes] = field(repr=False)
    active_kid: int
    entropy: Entropy

    async def wrap(self, plain: bytes, *, context: bytes) -> bytes:
        """Version, key number, nonce, ciphertext with its tag."""
        nonce = self.entropy.token_bytes(_NONCE_BYTES)
        head = bytes([_VERSION, self.active_kid])
        return head + nonce + self._cipher(self.active_kid).encrypt(nonce, plain, head + context)

    async def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """What was wrapped under any key that we have. Raises UnwrapError."""
        head, nonce, sealed = wrapped[:2], wrapped[2 : 2 + _NONCE_BYTES], wrapped[2 + _NONCE_BYTES :]
        if len(head) != len(b"vk") or head[0] != _VERSION or head[1] not in self.keys:
            raise UnwrapError("wrapped with a key-encryption key that is not set")
        try:
            return self._cipher(head[1]).decrypt(nonce, sealed, head + context)
        except (InvalidTag, ValueError) as error:
            raise UnwrapError("the wrapped key does not open in this place") from error

    def _cipher(self, kid: int) -> AESGCM:
        return AESGCM(purpose_key(self.keys[kid], "wrap/signing-key"))
