"""One username, one spelling.

ASCII letters only. A username is shown to other people, so it must not be possible to make one that looks like
another's. Unicode's way (one script a name, UTS 39) still lets a name wholly in Cyrillic look like a Latin one, and
its table of confusables changes with every version. Within ASCII, NFKC with case folding is plain lower case.
Letters and digits that look alike there (``l`` and ``1``) are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.text import NameRefusal, text_refusal

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MIN_LENGTH = 3
MAX_LENGTH = 32

RESERVED = frozenset({
    # who speaks for the service
    "admin", "administrator", "keyturn", "moderator", "official", "operator", "root", "security", "staff", "support",
    "sysadmin", "system",
    # mailboxes that certificate authorities and other servers trust (RFC 2142; CA/Browser Forum 3.2.2.4.4)
    "abuse", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply", "postmaster", "webmaster",
    # words that programs read as something else
    "anonymous", "false", "nan", "nobody", "none", "null", "true", "undefined",
})  # fmt: skip
"""Names nobody may choose: they would be believed, or misread."""

_ALLOWED = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Username:
    """``display`` is as its owner typed it; ``canonical`` decides whose it is."""

    display: str
    canonical: str


def parse_username(text: str, *, reserved: AbstractSet[str] = RESERVED) -> Username | NameRefusal:
    """The username that ``text`` spells, or why it spells none.

    ``reserved`` holds canonical names that are refused; hand in an empty set where an existing name is looked up.
    """
    refusal = text_refusal(text, max_length=MAX_LENGTH)
    if refusal is not None:
        return refusal
    if "@" in text:
        return NameRefusal.HAS_AT
    if not _ALLOWED.fullmatch(text):
        return NameRefusal.NOT_ALLOWED_CHARACTER
    if len(text) < MIN_LENGTH:
        return NameRefusal.TOO_SHORT
    if not (text[0].isalnum() and text[-1].isalnum()):
        return NameRefusal.EDGE_PUNCTUATION
    canonical = text.lower()
    return NameRefusal.RESERVED if canonical in reserved else Username(display=text, canonical=canonical)
