"""Which passwords may be set (NIST SP 800-63B-4 section 3.1.1): long ones, and nothing that gives itself away.

There are no rules of composition, spaces are kept and nothing is cut off.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.text import folded, has_control_character, has_lone_surrogate

if TYPE_CHECKING:
    from service.kernel.email import Email
    from service.kernel.secret import Secret
    from service.kernel.username import Username

DEFAULT_MIN_LENGTH = 15
"""Code points, where the password is the only factor."""
LOWEST_MIN_LENGTH = 8
"""Code points below which no setting may go."""
MAX_LENGTH = 256
"""Code points after NFKC."""

# Composing makes at most four code points one, so what is longer as typed is longer than MAX_LENGTH in any form.
# Checked before NFKC, which takes time that grows with the square of a run of combining marks.
_MAX_TYPED = 4 * MAX_LENGTH
_SHORTEST_TOKEN = 3
_NO_WORD = re.compile(r"[\W_]+")
_LEAST_BESIDE_A_NAME = 8


class Reason(enum.Enum):
    """Why a password may not be set: a stable ``code`` and a sentence for a person."""

    TOO_SHORT = ("password_too_short", "Use at least {min_length} characters.")
    TOO_LONG = ("password_too_long", "Use at most {max_length} characters.")
    NOT_TEXT = ("password_not_text", "This is not valid text.")
    CONTROL_CHARACTER = ("password_control_character", "Remove tabs, line ends and other control characters.")
    LIKE_EMAIL = ("password_like_email", "Do not build the password on your e-mail address.")
    LIKE_USERNAME = ("password_like_username", "Do not build the password on your username.")
    LIKE_PRODUCT = ("password_like_product", "Do not build the password on the name of this service.")

    def __init__(self, code: str, template: str) -> None:
        self.code = code
        self._template = template

    def sentence(self, *, min_length: int) -> str:
        """The sentence, with the lengths that hold."""
        return self._template.format(min_length=min_length, max_length=MAX_LENGTH)


@dataclass(frozen=True, kw_only=True)
class PasswordContext:
    """What an attacker knows of the account and would try first."""

    email: Email | None = None
    username: Username | None = None
    product: str = "keyturn"

    def words(self) -> tuple[str, ...]:
        """The names and their parts, folded: what a guesser puts before every dictionary."""
        names = [*_email_tokens(self.email), self.username.canonical if self.username else "", self.product]
        parts = (part for name in names for part in (folded(name), *_NO_WORD.split(folded(name))))
        return tuple(dict.fromkeys(part for part in parts if len(part) >= _SHORTEST_TOKEN))


def check(password: Secret[str], *, min_length: int, context: PasswordContext) -> tuple[Reason, ...]:
    """Every reason against setting ``password``; none means that it may be set.

    ``min_length`` is in code points after NFKC. Raises ValueError where it is below LOWEST_MIN_LENGTH.
    """
    if min_length < LOWEST_MIN_LENGTH:
        raise ValueError(f"the minimum length of passwords is below {LOWEST_MIN_LENGTH}")
    typed = password.reveal()
    if len(typed) > _MAX_TYPED:
        return (Reason.TOO_LONG,)
    if has_lone_surrogate(typed):
        return (Reason.NOT_TEXT,)
    text = unicodedata.normalize("NFKC", typed)
    found = (
        (Reason.TOO_SHORT, len(text) < min_length),
        (Reason.TOO_LONG, len(text) > MAX_LENGTH),
        (Reason.CONTROL_CHARACTER, has_control_character(text)),
        (Reason.LIKE_EMAIL, _is_built_on(text, _email_tokens(context.email))),
        (Reason.LIKE_USERNAME, _is_built_on(text, [context.username.canonical] if context.username else [])),
        (Reason.LIKE_PRODUCT, _is_built_on(text, [context.product])),
    )
    return tuple(reason for reason, holds in found if holds)


def normalise(password: Secret[str]) -> bytes | None:
    """The octets that are hashed: NFKC, then UTF-8; the same when a password is set and when it is checked.

    None for what ``check`` never lets through and no hash can match: text that is too long, half of a UTF-16 pair, NUL.
    """
    typed = password.reveal()
    if len(typed) > _MAX_TYPED or has_lone_surrogate(typed) or "\0" in typed:
        return None
    text = unicodedata.normalize("NFKC", typed)
    return text.encode() if len(text) <= MAX_LENGTH else None


def _email_tokens(email: Email | None) -> list[str]:
    if email is None:
        return []
    local, _, host = email.canonical.partition("@")
    return [email.canonical, local, local.partition("+")[0], host]


def _is_built_on(text: str, names: list[str]) -> bool:
    """Whether ``text`` holds one of ``names``, forwards or backwards, and too little beside them."""
    letters = _reduced(text)
    rest = letters
    for token in sorted((_reduced(name) for name in names), key=len, reverse=True):
        if len(token) >= _SHORTEST_TOKEN:
            rest = rest.replace(token, "").replace(token[::-1], "")
    return rest != letters and len(rest) < _LEAST_BESIDE_A_NAME


def _reduced(text: str) -> str:
    """Letters and digits alone, case-folded: a dot or a capital hides no likeness."""
    return "".join(letter for letter in folded(text) if letter.isalnum())
