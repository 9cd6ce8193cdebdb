"""The id of a session, which the browser alone keeps, and the key under which its item lies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from keyturn import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITION_BYTES: Final = 16
SECRET_BYTES: Final = 32
MAX_SUBJECT_CHARACTERS: Final = 512
SESSION_PREFIX: Final = "s#"
MARKER_SORT: Final = "epoch"
"""The sort key of a user's marker; it cannot be a session's, since those begin with ``SESSION_PREFIX``."""

_COOKIE_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Key:
    """The primary key of an item. It tells nobody the id."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class SessionId:
    """256 bits of chance, and the partition in which the session lies. Who has both has the session.

    Sessions of one user lie in one partition, so that they can be listed and ended without an index; one of nobody lies
    in one of its own. The partition stands in the cookie because the item is found by it; changing it there finds
    nothing, since no item of that digest lies elsewhere.
    """

    partition: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, *, subject: str | None, random: Callable[[int], bytes]) -> Self:
        """A fresh id for a session of ``subject``, or of nobody."""
        partition = random(PARTITION_BYTES) if subject is None else partition_of(subject)
        return cls(partition, random(SECRET_BYTES))

    @classmethod
    def parse(cls, cookie: str | None) -> Self | None:
        """The id that ``cookie`` spells, or None: whatever is not the one spelling of 48 bytes costs no request."""
        if cookie is None or len(cookie) != _COOKIE_CHARACTERS:
            return None
        raw = base64url.decode(cookie)
        return None if raw is None else cls(raw[:PARTITION_BYTES], raw[PARTITION_BYTES:])

    @property
    def cookie(self) -> str:
        """What the browser keeps. Do not log it."""
        return base64url.encode(self.partition + self.secret)

    @property
    def key(self) -> Key:
        """Where the item lies: only a digest of the id is stored."""
        digest = hashlib.sha256(b"keyturn websession id\x01" + self.secret).digest()
        return Key(base64url.encode(self.partition), SESSION_PREFIX + base64url.encode(digest))


def partition_of(subject: str) -> bytes:
    """The partition of all sessions of ``subject``: a digest, so that keys, metrics and trails carry no user's name.

    Raises:
        ValueError: ``subject`` is empty or longer than ``MAX_SUBJECT_CHARACTERS``, which is the caller's mistake.
    """
    if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise ValueError("a subject is a short string that is not empty")
    return hashlib.sha256(b"keyturn websession user\x01" + subject.encode()).digest()[:PARTITION_BYTES]


def marker_key(subject: str) -> Key:
    """Where the marker of ``subject`` lies, which counts how often all their sessions were ended."""
    return Key(base64url.encode(partition_of(subject)), MARKER_SORT)
