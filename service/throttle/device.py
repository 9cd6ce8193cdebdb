"""Device tokens: who has signed in here before is not locked out by what strangers try (OWASP, device cookies).

A token is given at sign-in and proves nothing but that: with it an attempt is counted in the device's own lane, and the
owner need not be told of the device. The bytes: version 1 · issued at 5 (seconds) · nonce 16 · one tag of 16 for each
key of the account: its id and its names. A tag is an HMAC over the rest and that key, so the token tells no name and
works for no other account, and one token serves who signs in now with the address and now with the username.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NewType

from keyturn import base64url
from service.kernel.derive import mac, purpose_key
from service.kernel.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.kernel.entropy import Entropy

DeviceId = NewType("DeviceId", bytes)

LIFE_SECONDS = 180 * 86_400

_VERSION = 1
_TIME_BYTES = 5
_NONCE_BYTES = 16
_TAG_BYTES = 16
_HEAD_BYTES = 1 + _TIME_BYTES + _NONCE_BYTES
_MAX_TAGS = 3
_LENGTHS = frozenset({_HEAD_BYTES + tags * _TAG_BYTES for tags in range(1, _MAX_TAGS + 1)})
_MAX_CHARACTERS = 128


class DeviceKeys:
    """Makes and reads device tokens; ``skew_seconds`` is how far another worker's clock may be ahead."""

    def __init__(self, master: bytes, *, skew_seconds: int = 60) -> None:
        self._key = purpose_key(master, "throttle/device/1")
        self._skew_seconds = skew_seconds

    def issue(self, account_keys: Sequence[str], *, now_ms: int, entropy: Entropy) -> Secret[str]:
        """A fresh token for the account of these keys, one to three. Raises ValueError for any other count."""
        if not 1 <= len(account_keys) <= _MAX_TAGS:
            raise ValueError("an account has an id and one name or two")
        head = bytes([_VERSION]) + (now_ms // 1000).to_bytes(_TIME_BYTES) + entropy.token_bytes(_NONCE_BYTES)
        raw = head + b"".join(self._tag(head, key) for key in account_keys)
        return Secret(base64url.encode(raw))

    def read(self, presented: Secret[str] | None, *, account_key: str, now_ms: int) -> DeviceId | None:
        """The device, if we issued this token to the account of that key within its life; None for all else."""
        raw = None if presented is None else _decoded(presented.reveal())
        if raw is None or raw[0] != _VERSION:
            return None
        head, tags = raw[:_HEAD_BYTES], raw[_HEAD_BYTES:]
        expected = self._tag(head, account_key)
        matches = [hmac.compare_digest(expected, tags[at : at + _TAG_BYTES]) for at in range(0, len(tags), _TAG_BYTES)]
        age_seconds = now_ms // 1000 - int.from_bytes(head[1 : 1 + _TIME_BYTES])
        if not any(matches) or not -self._skew_seconds <= age_seconds < LIFE_SECONDS:
            return None
        return DeviceId(head[1 + _TIME_BYTES :])

    def _tag(self, head: bytes, account_key: str) -> bytes:
        return mac(self._key, head, account_key.encode("utf-8", "surrogatepass"))[:_TAG_BYTES]


def _decoded(text: str) -> bytes | None:
    raw = base64url.decode(text) if len(text) <= _MAX_CHARACTERS else None
    return raw if raw is not None and len(raw) in _LENGTHS else None
