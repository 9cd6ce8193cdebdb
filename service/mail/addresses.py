"""One mail address, and nothing else: the form that may stand in a header and in an SMTP envelope."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_ADDRESS_BYTES = 254
MAX_LOCAL_BYTES = 64
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


class AddressRefused(ValueError):
    """The text is not exactly one address; the message never repeats it."""


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address taken apart (RFC 5321 section 4.1.2, dot-atoms only). ``domain`` is ASCII, in A-labels."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        """The address as it stands on the envelope."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the relay must speak RFC 6531 to carry it."""
        return not self.local.isascii()


def parse_mailbox(text: str) -> Mailbox:
    """The one address that ``text`` is.

    Display names, lists, comments, quoted local parts and address literals are refused: whatever needs a parser to be
    understood can be understood differently by the next parser on the way.

    Raises:
        AddressRefused: when it is anything else.
    """
    local, _, domain = text.rpartition("@")
    if not _is_local(local) or not domain.isascii() or not _DOMAIN.fullmatch(domain.lower()):
        raise AddressRefused("not exactly one mail address")
    if len(text.encode()) > MAX_ADDRESS_BYTES:
        raise AddressRefused("the mail address is too long")
    return Mailbox(local=local, domain=domain.lower())


def _is_local(local: str) -> bool:
    # Letters beyond ASCII (RFC 6531) are let through as one more letter each; their separators and controls are not.
    if any(not c.isascii() and unicodedata.category(c)[0] not in "LMN" for c in local):
        return False
    as_ascii = "".join(c if c.isascii() else "x" for c in local)
    return bool(_DOT_ATOM.fullmatch(as_ascii)) and len(local.encode()) <= MAX_LOCAL_BYTES
