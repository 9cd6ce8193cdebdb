"""Sealing a payload: who reads the table learns nothing, and who writes to it can forge nothing."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = 2
_VERSION: Final = 1
_NUMBERS: Final = range(256)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """AES-256-GCM (NIST SP 800-38D): the active key seals, all of them open. Build it with ``parse``.

    Nonces are random, so one key may seal 2^32 times (section 8.3): a new one a year is enough for 100 writes a second.
    """

    keys: Mapping[int, bytes] = field(repr=False)
    active: int

    @classmethod
    def parse(cls, setting: str) -> Self:
        """A ring from ``"2:BASE64,1:BASE64"``: numbers from 0 to 255 and 32 bytes each; the first one is active.

        To rotate, put a new key in front; take the last one away when the absolute life of a session has passed.

        Raises:
            ValueError: the setting is not of this form. The message holds nothing of it.
        """
        pairs = [_pair(part) for part in setting.split(",")]
        keys = dict(pairs)
        if len(keys) != len(pairs):
            raise ValueError("two session keys have one number")
        return cls(keys=MappingProxyType(keys), active=pairs[0][0])

    def seal(self, plain: bytes, *, context: bytes, nonce: bytes) -> bytes:
        """Version, key number, nonce, and the ciphertext with its tag, which opens under the same ``context`` only."""
        head = bytes([_VERSION, self.active])
        return head + nonce + AESGCM(self.keys[self.active]).encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes | None:
        """What was sealed, or None where it was changed, moved to another place, or sealed with a key that is gone."""
        head, nonce, rest = (
            sealed[:_HEAD_BYTES],
            sealed[_HEAD_BYTES:][:NONCE_BYTES],
            sealed[_HEAD_BYTES + NONCE_BYTES :],
        )
        if len(nonce) != NONCE_BYTES or head[0] != _VERSION or head[1] not in self.keys:
            return None
        try:
            return AESGCM(self.keys[head[1]]).decrypt(nonce, rest, head + context)
        except InvalidTag:
            return None


def _pair(part: str) -> tuple[int, bytes]:
    number, _, key = part.strip().partition(":")
    try:
        raw = b64decode(key, validate=True)
    except binascii.Error:
        raw = b""
    if not (number.isascii() and number.isdigit() and int(number) in _NUMBERS and len(raw) == KEY_BYTES):
        raise ValueError("session keys are NUMBER:BASE64 of 32 bytes each, with commas between them")
    return int(number), raw
