"""Canonical base64url without padding (RFC 7515 section 2): each value has exactly one spelling."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from typing import Final

# The standard library's functions for this alphabet do the same by way of three more; a guard decodes each token.
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def encode(raw: bytes) -> str:
    """The one spelling of ``raw``."""
    return _spelled(raw).decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes that ``text`` spells, or None where ``text`` is not their one spelling.

    The decoder skips characters it does not know and ignores trailing bits, so what it answers is encoded again:
    padding, white space, the other alphabet and stray bits all fail that comparison at once.
    """
    try:
        given = text.encode("ascii")
        raw = a2b_base64(given.translate(_FROM_URL) + b"=" * (-len(given) % 4))
    except ValueError:
        return None
    return raw if _spelled(raw) == given else None


def _spelled(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_TO_URL)
