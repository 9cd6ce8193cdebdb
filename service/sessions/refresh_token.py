"""The refresh token: how it is spelled, how its successor is derived, what of it is stored.

``ktr_`` + base62 of 70 bytes + 6 characters of base62 CRC-32 over those bytes. The bytes: version 1 · kid 1 · user id
16 · session id 16 · generation 4 · secret 20 · tag 12. The checksum lets a mistyped token be refused anywhere; the tag,
an HMAC under a key of ours, lets one that we did not issue be refused without asking DynamoDB.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel import base62
from service.kernel.derive import mac, purpose_key
from service.kernel.ids import ID_BYTES, SessionId, UserId

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "ktr_"
SECRET_BYTES = 20
NONCE_BYTES = 16
MAX_GENERATION = 2**32 - 1

_VERSION = 1
_TAG_BYTES = 12
_SIGNED_BYTES = 1 + 1 + ID_BYTES + ID_BYTES + 4 + SECRET_BYTES
_RAW_BYTES = _SIGNED_BYTES + _TAG_BYTES
_BODY_WIDTH = 95
_CHECKSUM_WIDTH = 6
_LENGTH = len(PREFIX) + _BODY_WIDTH + _CHECKSUM_WIDTH


@dataclass(frozen=True, kw_only=True)
class RefreshToken:
    """What a refresh token says; ``secret`` is the only part that proves anything."""

    kid: int
    user_id: UserId
    session_id: SessionId
    generation: int
    secret: bytes

    def __repr__(self) -> str:
        return f"RefreshToken(kid={self.kid}, generation={self.generation})"

    @property
    def digest(self) -> bytes:
        """What is stored of the secret."""
        return hashlib.sha256(b"rt\x01" + self.secret).digest()


class RefreshKeys:
    """The server's keys for refresh tokens: the active one signs, the older ones still verify."""

    def __init__(self, masters: Mapping[int, bytes], *, active_kid: int) -> None:
        self.active_kid = active_kid
        self._tag_keys = {kid: purpose_key(master, "refresh/tag") for kid, master in masters.items()}
        self._derive_keys = {kid: purpose_key(master, "refresh/next") for kid, master in masters.items()}

    def encode(self, token: RefreshToken) -> str:
        """The token as a client holds it."""
        signed = (
            bytes([_VERSION, token.kid])
            + token.user_id
            + token.session_id
            + token.generation.to_bytes(4)
            + token.secret
        )
        raw = signed + self._tag(token.kid, signed)
        return PREFIX + base62.encode(int.from_bytes(raw), _BODY_WIDTH) + _checksum(raw)

    def decode(self, text: str) -> RefreshToken | None:
        """The token that ``text`` spells, if we issued it; None otherwise, whatever the reason."""
        raw = _raw_bytes(text)
        if raw is None or raw[0] != _VERSION or raw[1] not in self._tag_keys:
            return None
        signed, tag = raw[:_SIGNED_BYTES], raw[_SIGNED_BYTES:]
        if not hmac.compare_digest(tag, self._tag(raw[1], signed)):
            return None
        ids, rest = signed[2 : 2 + 2 * ID_BYTES], signed[2 + 2 * ID_BYTES :]
        return RefreshToken(
            kid=raw[1],
            user_id=UserId(ids[:ID_BYTES]),
            session_id=SessionId(ids[ID_BYTES:]),
            generation=int.from_bytes(rest[:4]),
            secret=rest[4:],
        )

    def successor(self, token: RefreshToken, *, kid: int, nonce: bytes) -> RefreshToken | None:
        """The next generation. The same token, kid and nonce always give the same; None when ``kid`` is not ours.

        It needs the server's key, the nonce in the table and the presented secret together: who reads the table gets
        hashes and nonces, and who has the key alone can forge nothing.
        """
        key = self._derive_keys.get(kid)
        if key is None or token.generation >= MAX_GENERATION:
            return None
        generation = token.generation + 1
        derived = mac(key, b"next", token.user_id, token.session_id, generation.to_bytes(4), nonce, token.secret)
        return RefreshToken(
            kid=kid,
            user_id=token.user_id,
            session_id=token.session_id,
            generation=generation,
            secret=derived[:SECRET_BYTES],
        )

    def _tag(self, kid: int, signed: bytes) -> bytes:
        return hmac.digest(self._tag_keys[kid], signed, hashlib.sha256)[:_TAG_BYTES]


def _raw_bytes(text: str) -> bytes | None:
    if len(text) != _LENGTH or not text.startswith(PREFIX):
        return None
    number = base62.decode(text[len(PREFIX) : -_CHECKSUM_WIDTH])
    # 95 digits reach a little above 70 bytes: a value beyond is a second spelling and refused.
    if number is None or number.bit_length() > _RAW_BYTES * 8:
        return None
    raw = number.to_bytes(_RAW_BYTES)
    return raw if _checksum(raw) == text[-_CHECKSUM_WIDTH:] else None


def _checksum(raw: bytes) -> str:
    return base62.encode(zlib.crc32(raw), _CHECKSUM_WIDTH)
