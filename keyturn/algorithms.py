"""The signature algorithms that are allowed, and the form of a key's name. No HMAC, and no way to add one."""

from __future__ import annotations

import re
from typing import Final

SIGNATURE_BYTES: Final[dict[str, range]] = {
    "ES256": range(64, 65),
    "EdDSA": range(64, 65),
    "RS256": range(256, 1025),
}
"""The sizes that a signature may have, by ``alg`` (RFC 7518 sections 3.3 and 3.4, RFC 8037 section 3.1).

ES256 is r and s of 32 bytes each, never DER; RS256 is as long as its key, which has 2048 to 8192 bits.
"""

_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_kid(value: object) -> bool:
    """Whether ``value`` can name a key: a short string of the base64url alphabet, so never a path or a query."""
    return isinstance(value, str) and _KID.fullmatch(value) is not None
