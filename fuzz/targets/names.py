"""Names that decide whose an account is: one canonical form, which is its own."""

from __future__ import annotations

import unicodedata

from service.kernel.email import MAX_ADDRESS, Email, parse_email
from service.kernel.identifier import parse_identifier
from service.kernel.text import NameRefusal
from service.kernel.username import Username, parse_username


def email(data: bytes) -> None:
    """An address is ASCII, safe in a header, and the same account however its letters are written."""
    text = _text(data)
    found = parse_email(text)
    if isinstance(found, NameRefusal):
        return
    assert found.address.isascii()
    assert found.address.isprintable()
    assert not set(found.address) & set(' <>,;:()[]"\\')
    assert len(found.address) <= MAX_ADDRESS
    assert found.canonical == found.address.lower()
    assert parse_email(found.canonical) == Email(address=found.canonical, canonical=found.canonical)
    assert parse_email(found.address) == found
    assert parse_identifier(text) == found
    local, _, host = text.partition("@")
    for other in (f"{local.swapcase()}@{host}", f"{local}@{unicodedata.normalize('NFD', host)}"):
        again = parse_email(other)
        assert isinstance(again, NameRefusal) or again.canonical == found.canonical


def username(data: bytes) -> None:
    """A username is plain, and the same account in each case of its letters; none can be taken for an address."""
    text = _text(data)
    found = parse_username(text)
    if isinstance(found, NameRefusal):
        return
    assert found.display == text
    assert parse_username(found.canonical) == Username(display=found.canonical, canonical=found.canonical)
    again = parse_username(text.swapcase())
    assert isinstance(again, Username)
    assert again.canonical == found.canonical
    assert isinstance(parse_email(text), NameRefusal)


def _text(data: bytes) -> str:
    """As JSON gives it: any code points, halves of pairs too."""
    return data.decode("utf-8", errors="surrogateescape")
