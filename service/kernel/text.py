"""Questions about text that a person typed, and the reasons for which a name is refused."""

from __future__ import annotations

import enum
import unicodedata


class NameRefusal(enum.Enum):
    """Why an e-mail address or a username is refused: a stable ``code`` and a ``sentence`` for a person."""

    EMPTY = ("empty", "Enter a value.")
    NOT_TEXT = ("not_text", "This is not valid text.")
    CONTROL_CHARACTER = ("control_character", "Remove the invisible characters.")
    WHITESPACE = ("whitespace", "Remove the spaces.")
    TOO_SHORT = ("too_short", "This is too short.")
    TOO_LONG = ("too_long", "This is too long.")
    NOT_AN_ADDRESS = ("not_an_address", "An e-mail address has a name, an @ and a domain.")
    SEVERAL_ADDRESSES = ("several_addresses", "Enter one e-mail address only.")
    DISPLAY_NAME = ("display_name", "Enter the address alone, without a name or angle brackets.")
    COMMENT = ("comment", "Remove the parentheses.")
    QUOTED = ("quoted", "Quoted addresses are not supported.")
    LOCAL_TOO_LONG = ("local_too_long", "The part before the @ is too long.")
    LOCAL_NOT_ASCII = ("local_not_ascii", "Only plain letters, digits and signs are supported before the @.")
    LOCAL_NOT_VALID = ("local_not_valid", "The part before the @ is not valid.")
    HOST_LOOKALIKE = ("host_lookalike", "The domain has letters that only look like plain ones.")
    HOST_IS_IP = ("host_is_ip", "Enter a domain name, not an IP address.")
    HOST_WITHOUT_DOT = ("host_without_dot", "The domain is not complete.")
    HOST_ENDS_WITH_DOT = ("host_ends_with_dot", "Remove the dot at the end.")
    HOST_LABEL_TOO_LONG = ("host_label_too_long", "A part of the domain is too long.")
    HOST_NOT_VALID = ("host_not_valid", "The domain is not valid.")
    HAS_AT = ("has_at", "A username has no @.")
    NOT_ALLOWED_CHARACTER = ("not_allowed_character", "Use the letters a to z, digits, and . _ - only.")
    EDGE_PUNCTUATION = ("edge_punctuation", "Begin and end with a letter or a digit.")
    RESERVED = ("reserved", "This name is reserved.")

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


def has_lone_surrogate(text: str) -> bool:
    """Whether ``text`` holds half of a UTF-16 pair, which JSON can spell and UTF-8 cannot."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def has_control_character(text: str) -> bool:
    """Whether ``text`` holds a control character (Unicode category Cc: NUL, line ends, DEL, C1)."""
    return any(unicodedata.category(letter) == "Cc" for letter in text)


def has_invisible_character(text: str) -> bool:
    """Whether ``text`` holds a control or a format character: joiners, direction marks, line separators."""
    return any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} for letter in text)


def has_hidden_ascii(text: str) -> bool:
    """Whether a letter outside ASCII turns into ASCII under NFKC: full-width letters, the Kelvin sign, ligatures."""
    return any(
        not letter.isascii() and any(made.isascii() for made in unicodedata.normalize("NFKC", letter))
        for letter in text
    )


def folded(text: str) -> str:
    """``text`` as it is compared for likeness: NFKC, case-folded, and NFKC again since folding can undo it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def text_refusal(text: str, *, max_length: int) -> NameRefusal | None:
    """What is wrong with ``text`` as any name at all, or None.

    ``max_length`` in code points is checked first, so that nothing else here reads a long text.
    """
    if not text:
        return NameRefusal.EMPTY
    if len(text) > max_length:
        return NameRefusal.TOO_LONG
    if has_lone_surrogate(text):
        return NameRefusal.NOT_TEXT
    if has_invisible_character(text):
        return NameRefusal.CONTROL_CHARACTER
    if any(letter.isspace() for letter in text):
        return NameRefusal.WHITESPACE
    return None
