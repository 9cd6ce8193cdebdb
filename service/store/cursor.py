"""Cursors: where a list goes on, sealed so that a client can neither read nor move them.

The sealed key is bound to its query: a cursor of one user's list means nothing in another's.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyturn import base64url
from service.errors import BadRequest
from service.kernel.derive import purpose_key

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy
    from service.store.codec import Item

MAX_CURSOR_CHARACTERS = 1024
_NONCE_BYTES = 12


def foreign_cursor(things: str) -> BadRequest:
    """The refusal of a cursor that was not sealed for this ``list`` or ``export`` of somebody's."""
    return BadRequest("cursor", code="invalid_cursor", title=f"This cursor does not belong to this {things}.")


class Cursors:
    """Seals and opens the keys at which DynamoDB goes on."""

    def __init__(self, master: bytes, entropy: Entropy) -> None:
        self._cipher = AESGCM(purpose_key(master, "cursor"))
        self._entropy = entropy

    def seal(self, start: Item, *, query: str) -> str:
        """The cursor for ``start`` in the list that ``query`` names."""
        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        plain = json.dumps(start, default=_encode_bytes).encode()
        return base64url.encode(nonce + self._cipher.encrypt(nonce, plain, query.encode()))

    def resume(self, cursor: str | None, *, query: str, things: str = "list") -> Item | None:
        """Where the list that ``query`` names goes on at ``cursor``, or None to begin. Raises BadRequest."""
        if cursor is None:
            return None
        start = self.open(cursor, query=query)
        if start is None:
            raise foreign_cursor(things)
        return start

    def following(self, next_start: Item | None, *, query: str) -> str | None:
        """The cursor of the next page, None on the last."""
        return None if next_start is None else self.seal(next_start, query=query)

    def open(self, cursor: str, *, query: str) -> Item | None:
        """Where the list goes on, or None for what we did not seal for this list."""
        if len(cursor) > MAX_CURSOR_CHARACTERS:
            return None
        raw = base64url.decode(cursor)
        if raw is None:
            return None
        try:
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], query.encode())
        except (ValueError, InvalidTag):
            return None
        item: Item = json.loads(plain, object_hook=_decode_bytes)
        return item


def _encode_bytes(value: Any) -> dict[str, str]:
    return {"b": base64.b64encode(value).decode()}


def _decode_bytes(pairs: dict[str, Any]) -> Any:
    return base64.b64decode(pairs["b"]) if pairs.keys() == {"b"} else pairs
