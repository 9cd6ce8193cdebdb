"""What a person types to sign in: an e-mail address or a username, told apart by the ``@``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.kernel.email import Email, parse_email
from service.kernel.username import Username, parse_username

if TYPE_CHECKING:
    from service.kernel.text import NameRefusal

Identifier = Email | Username


def parse_identifier(text: str) -> Identifier | NameRefusal:
    """The name that ``text`` spells, or why it spells none.

    No username has an ``@``, so one text never means two accounts. Reserved names are let through: they cannot be
    chosen, but an operator may have given one.
    """
    return parse_email(text) if "@" in text else parse_username(text, reserved=frozenset())
