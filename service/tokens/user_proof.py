"""Proofs that are mailed to a user we know: a token for a link, and a code to type.

The token names its user, so that the pending proof is found by key. What is stored are digests; one proof of a purpose
at a time, so that the latest is the only one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyturn import base64url
from service.kernel.derive import mac, purpose_key
from service.kernel.ids import ID_BYTES, UserId
from service.kernel.secret import Secret
from service.tokens.onetime import code_from, read_code

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy

_SECRET_BYTES = 32
_TEXT_LENGTH = (ID_BYTES + _SECRET_BYTES) * 4 // 3


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A token and its code as they are mailed, and the digests under which they are stored."""

    token: Secret[str]
    code: Secret[str]
    token_digest: bytes
    code_digest: bytes


class UserProofs:
    """Makes and reads proofs of one purpose; the digest of another purpose's token is another."""

    def __init__(self, master: bytes, *, purpose: str) -> None:
        self._code_key = purpose_key(master, f"proof/{purpose}/code")
        self._digest_key = purpose_key(master, f"proof/{purpose}/digest")

    def new(self, user_id: UserId, entropy: Entropy) -> Proof:
        """A fresh proof for ``user_id``."""
        raw = user_id + entropy.token_bytes(_SECRET_BYTES)
        code = code_from(mac(self._code_key, raw))
        return Proof(
            token=Secret(base64url.encode(raw)),
            code=Secret(code),
            token_digest=self._token_digest(raw),
            code_digest=self._code_digest(user_id, code),
        )

    def read_token(self, text: str) -> tuple[UserId, bytes] | None:
        """Whose it claims to be, and the digest that must be stored; None for what cannot be a token."""
        if len(text) != _TEXT_LENGTH:
            return None
        raw = base64url.decode(text)
        if raw is None:
            return None
        return UserId(raw[:ID_BYTES]), self._token_digest(raw)

    def read_code(self, user_id: UserId, text: str) -> bytes | None:
        """The digest that must be stored for a code as somebody typed it; None for what cannot be a code."""
        code = read_code(text)
        return None if code is None else self._code_digest(user_id, code)

    def _token_digest(self, raw: bytes) -> bytes:
        return hashlib.sha256(self._digest_key + raw).digest()

    def _code_digest(self, user_id: UserId, code: str) -> bytes:
        return mac(self._digest_key, b"code", user_id, code.encode())
