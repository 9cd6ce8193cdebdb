"""One-time tokens and the short codes beside them: 256 bits in a link, eight characters to type.

Both lead to the same item. Its key is an HMAC over the address and the code, and it holds the digest of the token; so
one item serves link and code, and who reads the table can make neither.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyturn import base64url
from service.kernel.derive import mac, purpose_key
from service.kernel.secret import Secret

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy

CODE_LENGTH = 8
_SECRET_BYTES = 32
_LOOKUP_BYTES = 16
_TOKEN_BYTES = _LOOKUP_BYTES + _SECRET_BYTES
_TEXT_LENGTH = _TOKEN_BYTES * 4 // 3
# Crockford's alphabet: no I, L, O and U, so that a code is read and typed without doubt.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


@dataclass(frozen=True, kw_only=True)
class OneTime:
    """A token and its code as they are mailed, with the key and the digest under which they are stored."""

    token: Secret[str]
    code: Secret[str]
    key: str
    digest: bytes


class OneTimeKeys:
    """Makes and reads one-time tokens of one purpose; a token of another purpose leads nowhere."""

    def __init__(self, master: bytes, *, purpose: str) -> None:
        self._purpose = purpose
        self._code_key = purpose_key(master, f"onetime/{purpose}/code")
        self._item_key = purpose_key(master, f"onetime/{purpose}/item")

    def new(self, identity_key: str, entropy: Entropy) -> OneTime:
        """A fresh token for the address whose marker key is ``identity_key``."""
        raw = self._lookup(identity_key) + entropy.token_bytes(_SECRET_BYTES)
        code = self._code(raw)
        return OneTime(
            token=Secret(base64url.encode(raw)),
            code=Secret(code),
            key=self._key(raw[:_LOOKUP_BYTES], code),
            digest=hashlib.sha256(raw).digest(),
        )

    def read_token(self, text: str) -> tuple[str, bytes] | None:
        """The item's key and the digest that it must hold, or None for what cannot be a token of ours."""
        if len(text) != _TEXT_LENGTH:
            return None
        raw = base64url.decode(text)
        if raw is None:
            return None
        return self._key(raw[:_LOOKUP_BYTES], self._code(raw)), hashlib.sha256(raw).digest()

    def key_of_code(self, identity_key: str, text: str) -> str | None:
        """The item's key for a code as somebody typed it, or None for what cannot be a code."""
        code = read_code(text)
        return None if code is None else self._key(self._lookup(identity_key), code)

    def _lookup(self, identity_key: str) -> bytes:
        return hashlib.sha256(identity_key.encode()).digest()[:_LOOKUP_BYTES]

    def _code(self, raw: bytes) -> str:
        return code_from(mac(self._code_key, raw))

    def _key(self, lookup: bytes, code: str) -> str:
        return f"{self._purpose}#" + mac(self._item_key, lookup, code.encode()).hex()


def code_from(drawn: bytes) -> str:
    """A code of bytes that nobody can foresee; 32 letters divide a byte evenly."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in drawn[:CODE_LENGTH])


def read_code(text: str) -> str | None:
    """The code that somebody typed, misread letters put right; None for what cannot be one."""
    code = text.upper().translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and all(character in _ALPHABET for character in code) else None


def code_for_reading(code: str) -> str:
    """The code in two groups, as it is mailed."""
    half = CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"
