"""Base62 of fixed width: one spelling for one value, no separators for a double click to stop at."""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)


def encode(number: int, width: int) -> str:
    """``number`` in ``width`` characters. Raises OverflowError when it does not fit."""
    characters = []
    for _ in range(width):
        number, digit = divmod(number, _BASE)
        characters.append(_ALPHABET[digit])
    if number:
        raise OverflowError("the number needs more characters")
    return "".join(reversed(characters))


def decode(text: str) -> int | None:
    """The number that ``text`` spells, or None for a character outside the alphabet."""
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            return None
        number = number * _BASE + value
    return number
