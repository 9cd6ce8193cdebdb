"""The embedded list of the commonest passwords: works with no network, takes half a megabyte and microseconds.

The file is a sorted table of short digests (see ``data/build.py``), so that no list of insults stands in the wheel and
nothing is parsed at start. Five octets a digest: of ten million fresh passwords about one is refused by chance.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from service.kernel.text import folded, has_lone_surrogate
from service.passwords.breach import Breach

if TYPE_CHECKING:
    from service.kernel.secret import Secret

DIGEST_BYTES = 5
SHORTEST_LISTED = 8
"""Code points; nothing shorter may be a password, so nothing shorter is listed."""
_MAX_TYPED = 1024
_PERSON = b"keyturn-common"
# Four signs are ten thousand and more guesses for each listed word; beyond that the strength check judges.
_TAIL = re.compile(r"[\d\W_]{1,4}\Z")


def digest_of(text: str) -> bytes:
    """The entry of ``text``, which is folded, in the table."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES, person=_PERSON).digest()


def variants_of(text: str) -> tuple[str, ...]:
    """``text`` folded; without up to four digits or signs at its end; and what it repeats, each once."""
    whole = folded(text)
    bare = _TAIL.sub("", whole)
    found = (whole, bare, _repeated(whole), _repeated(bare))
    return tuple(dict.fromkeys(variant for variant in found if len(variant) >= SHORTEST_LISTED))


@dataclass(frozen=True, kw_only=True)
class OfflineBreachList:
    """Looks up in ``table``: entries of DIGEST_BYTES, sorted. Raises ValueError for a file that is cut off."""

    table: bytes

    def __post_init__(self) -> None:
        if not self.table or len(self.table) % DIGEST_BYTES:
            raise ValueError("the embedded list of common passwords is damaged: install the package again")

    @classmethod
    def embedded(cls) -> OfflineBreachList:
        """The list that is part of the package. Raises OSError where its file is missing."""
        return cls(table=files("service.passwords.data").joinpath("common.bin").read_bytes())

    def __len__(self) -> int:
        return len(self.table) // DIGEST_BYTES

    async def contains(self, password: Secret[str]) -> Breach:
        """Whether ``password``, or something simple that it was made of, is among the commonest."""
        typed = password.reveal()
        if len(typed) > _MAX_TYPED or has_lone_surrogate(typed):
            return Breach.UNKNOWN
        is_listed = any(self._has(digest_of(variant)) for variant in variants_of(typed))
        return Breach.LISTED if is_listed else Breach.CLEAN

    def _has(self, digest: bytes) -> bool:
        index = bisect_left(range(len(self)), digest, key=self._entry)
        return index < len(self) and self._entry(index) == digest

    def _entry(self, index: int) -> bytes:
        return self.table[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]


def _repeated(text: str) -> str:
    """The shortest text of which ``text`` is whole repetitions."""
    period = (text + text).find(text, 1)
    return text[:period]
