"""One e-mail address, one spelling: what mail is sent to, and the canonical form that decides whose it is.

The part before the ``@`` is ASCII only. Then no other script, full-width letter, dotless i or Kelvin sign can be
folded into somebody else's address, and NFKC with case folding is plain lower case. The rejected ways: folding such
letters (two people type "the same" address and one gets the other's mail) and a table of confusables (it changes with
every Unicode version, and the stored keys would change with it). Addresses with other letters (RFC 6532) need a mail
server that speaks SMTPUTF8 on the whole way; Amazon SES does not.

The host may be international. It is kept as its A-label (IDNA 2008, RFC 5891), so a look-alike host is another
address, spelled with ``xn--`` wherever it is shown. Only upper case and NFC are mapped before; what UTS 46 would map
or drop beyond that (full-width letters, ideographic dots, soft hyphens) is refused.

Dots and ``+tags`` are kept: only the receiving server knows what they mean.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import idna

from service.kernel.text import NameRefusal, has_hidden_ascii, text_refusal

MAX_ADDRESS = 254
"""Octets of a whole address (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""
MAX_LOCAL = 64
"""Octets before the ``@`` (RFC 5321 section 4.5.3.1.1)."""
MAX_LABEL = 63
"""Octets between two dots of the host (RFC 1035 section 2.3.4)."""

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*", re.ASCII)
_SIGNS = (
    ('"', NameRefusal.QUOTED),
    ("<", NameRefusal.DISPLAY_NAME),
    (">", NameRefusal.DISPLAY_NAME),
    ("(", NameRefusal.COMMENT),
    (")", NameRefusal.COMMENT),
    (",", NameRefusal.SEVERAL_ADDRESSES),
    (";", NameRefusal.SEVERAL_ADDRESSES),
)


@dataclass(frozen=True, kw_only=True)
class Email:
    """``address`` is what mail is sent to, ASCII as typed before the ``@``; ``canonical`` decides whose it is."""

    address: str
    canonical: str


def parse_email(text: str) -> Email | NameRefusal:
    """The address that ``text`` spells, or why it spells none (RFC 5321 dot-string at an IDNA 2008 host)."""
    refusal = _shape_refusal(text)
    if refusal is not None:
        return refusal
    local, _, typed_host = text.partition("@")
    refusal = _local_refusal(local)
    if refusal is not None:
        return refusal
    host = _parse_host(typed_host)
    if isinstance(host, NameRefusal):
        return host
    address = f"{local}@{host}"
    if len(address) > MAX_ADDRESS:
        return NameRefusal.TOO_LONG
    return Email(address=address, canonical=address.lower())


def _shape_refusal(text: str) -> NameRefusal | None:
    """What can be said before the address is taken apart."""
    refusal = text_refusal(text, max_length=MAX_ADDRESS)
    # A display name has a space before its angle bracket, and the bracket says more about the mistake.
    if refusal is not None and refusal is not NameRefusal.WHITESPACE:
        return refusal
    for sign, named in _SIGNS:
        if sign in text:
            return named
    if refusal is not None:
        return refusal
    if text.count("@") > 1:
        return NameRefusal.SEVERAL_ADDRESSES
    local, at, host = text.partition("@")
    return None if local and at and host else NameRefusal.NOT_AN_ADDRESS


def _local_refusal(local: str) -> NameRefusal | None:
    if not local.isascii():
        return NameRefusal.LOCAL_NOT_ASCII
    if len(local) > MAX_LOCAL:
        return NameRefusal.LOCAL_TOO_LONG
    return None if _DOT_ATOM.fullmatch(local) else NameRefusal.LOCAL_NOT_VALID


def _parse_host(typed: str) -> str | NameRefusal:
    """The lower-case A-labels of ``typed``, or why it is no host that mail can be sent to."""
    if typed.startswith("["):
        return NameRefusal.HOST_IS_IP
    if has_hidden_ascii(typed):
        return NameRefusal.HOST_LOOKALIKE
    if typed.endswith("."):
        return NameRefusal.HOST_ENDS_WITH_DOT
    labels = [_parse_label(label) for label in typed.split(".")]
    for label in labels:
        if isinstance(label, NameRefusal):
            return label
    # No top-level domain is a number (RFC 3696 section 2), so this is an IPv4 address or a spelling of one.
    if re.fullmatch(r"[0-9]+", str(labels[-1])):
        return NameRefusal.HOST_IS_IP
    return ".".join(map(str, labels)) if len(labels) > 1 else NameRefusal.HOST_WITHOUT_DOT


def _parse_label(typed: str) -> str | NameRefusal:
    # Lower case may fall apart into letter and mark, hence NFC on both sides of it.
    label = unicodedata.normalize("NFC", unicodedata.normalize("NFC", typed).lower())
    if len(label) > MAX_LABEL:
        return NameRefusal.HOST_LABEL_TOO_LONG
    try:
        return idna.alabel(label).decode("ascii")
    except UnicodeError:  # IDNAError is one, and so is what the Punycode codec raises
        return NameRefusal.HOST_NOT_VALID
