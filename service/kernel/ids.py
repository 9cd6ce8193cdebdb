"""Ids that the server makes: 16 bytes at rest, a canonical lower-case UUID on the wire."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy

UserId = NewType("UserId", bytes)
SessionId = NewType("SessionId", bytes)

ID_BYTES = 16
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def _random_uuid(entropy: Entropy) -> bytes:
    return uuid.UUID(bytes=entropy.token_bytes(ID_BYTES), version=4).bytes


def new_user_id(entropy: Entropy) -> UserId:
    """A fresh user id (RFC 9562 version 4)."""
    return UserId(_random_uuid(entropy))


def new_session_id(entropy: Entropy) -> SessionId:
    """A fresh session id (RFC 9562 version 4)."""
    return SessionId(_random_uuid(entropy))


def id_text(identifier: UserId | SessionId) -> str:
    """The wire form of an id."""
    digits = identifier.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_id(text: str) -> bytes | None:
    """The 16 bytes of a canonical id, or None: no braces, no upper case, so that one id has one spelling."""
    if not _CANONICAL.fullmatch(text):
        return None
    return bytes.fromhex(text.replace("-", ""))


def parse_user_id(text: str) -> UserId | None:
    """The user id that ``text`` spells, or None."""
    raw = parse_id(text)
    return None if raw is None else UserId(raw)


def parse_session_id(text: str) -> SessionId | None:
    """The session id that ``text`` spells, or None."""
    raw = parse_id(text)
    return None if raw is None else SessionId(raw)
