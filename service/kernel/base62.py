"""Base62 of fixed width: one spelling for one value, no separators for a double click to stop at.

Digits are worked on ten at a time, which fit a machine word: arithmetic on the long number would be needed for each.
"""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)
_PIECE = 10
_PIECE_BASE = _BASE**_PIECE


def encode(number: int, width: int) -> str:
    """``number`` in ``width`` characters. Raises OverflowError when it does not fit."""
    characters: list[str] = []
    while len(characters) < width:
        number, piece = divmod(number, _PIECE_BASE)
        for _ in range(_PIECE):
            piece, digit = divmod(piece, _BASE)
            characters.append(_ALPHABET[digit])
    if number or any(digit != _ALPHABET[0] for digit in characters[width:]):
        raise OverflowError("the number needs more characters")
    return "".join(reversed(characters[:width]))


def decode(text: str) -> int | None:
    """The number that ``text`` spells, or None for a character outside the alphabet."""
    number = 0
    try:
        for start in range(0, len(text), _PIECE):
            piece = 0
            characters = text[start : start + _PIECE]
            for character in characters:
                piece = piece * _BASE + _VALUES[character]
            number = number * _BASE ** len(characters) + piece
    except KeyError:
        return None
    return number
