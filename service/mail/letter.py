"""A mail as it lies in the outbox: sealed, so that who reads the table reads neither addresses nor tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.kernel.derive import purpose_key
from service.mail.message import MailKind, MailMessage

if TYPE_CHECKING:
    from service.kernel.entropy import Entropy

SHARDS = 4
"""A partition takes a thousand writes a second, and a mail is at most three: some 1,300 mails a second in all."""
_ID_BYTES = 16
_NONCE_BYTES = 12


class LetterUnreadable(Exception):
    """A sealed letter does not open, or says nothing to us.

    It was changed, moved to another place, sealed under another key, or written by another version of the service.
    """


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a letter lies: its shard, and its id that begins with the time at which it was written."""

    shard: str
    position: str

    @property
    def message_id(self) -> str:
        """The same however often it is sent, so that a mail that went out twice is recognised as one."""
        return self.position.partition("#")[2]


def new_place(*, now_ms: int, entropy: Entropy) -> Place:
    """A fresh place, ordered by time within its shard."""
    drawn = entropy.token_bytes(_ID_BYTES)
    return Place(shard=shard_name(drawn[0] % SHARDS), position=f"{now_ms:013d}#{drawn.hex()}")


def shard_name(number: int) -> str:
    """The partition key of a shard."""
    return f"o#{number}"


@dataclass(frozen=True, kw_only=True)
class LetterSeal:
    """AES-256-GCM, bound to the place of the letter."""

    master: bytes
    entropy: Entropy

    def seal(self, message: MailMessage, place: Place) -> bytes:
        """What is stored of ``message``."""
        nonce = self.entropy.token_bytes(_NONCE_BYTES)
        plain = json.dumps([message.to, message.template.value, dict(message.values), message.locale]).encode()
        return nonce + self._cipher().encrypt(nonce, plain, _context(place))

    def open(self, sealed: bytes, place: Place) -> MailMessage:
        """The message. Raises LetterUnreadable."""
        try:
            plain = self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _context(place))
        except (InvalidTag, ValueError):
            raise LetterUnreadable("the letter does not open in this place") from None
        try:
            to, template, values, locale = json.loads(plain)
            return MailMessage(to=to, template=MailKind(template), values=values, locale=locale)
        except (ValueError, TypeError, AttributeError):
            # Without the cause: it may quote the mail.
            raise LetterUnreadable("the letter is of another version") from None

    def _cipher(self) -> AESGCM:
        return AESGCM(purpose_key(self.master, "mail/outbox"))


def _context(place: Place) -> bytes:
    return f"{place.shard}|{place.position}".encode()
