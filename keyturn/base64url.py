"""Canonical base64url without padding (RFC 7515 section 2): each value has exactly one spelling."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """The one spelling of ``raw``."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes that ``text`` spells, or None where ``text`` is not their one spelling.

    The decoder skips characters it does not know and ignores trailing bits, so what it answers is encoded again:
    padding, white space, the other alphabet and stray bits all fail that comparison at once.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if encode(raw) == text else None
