"""Keys for one purpose each, from a master that never leaves the process (HKDF, RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32


def purpose_key(master: bytes, purpose: str) -> bytes:
    """32 bytes that only who has ``master`` can make, different for each ``purpose``."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"keyturn/" + purpose.encode()).derive(master)


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over parts, each preceded by its length, so that no two lists of parts collide."""
    framed = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.digest(key, framed, hashlib.sha256)
