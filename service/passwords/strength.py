"""How many guesses a password withstands: zxcvbn, with its work bounded. The only door to zxcvbn.

Its own entry point is not used, for two reasons. It keeps the words of one caller in a dictionary that all threads
share. And its time explodes: 72 characters with many signs that stand for letters take most of a second, since it
tries every way to read them. Here it reads at most MAX_JUDGED characters at a time and MAX_SPELLINGS readings.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from zxcvbn import matching, scoring  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_JUDGED = 48
"""Code points that are looked at together; of a longer text the better end counts."""
MAX_SPELLINGS = 8
"""Ways of reading signs as letters (``4`` and ``@`` as ``a``) that are all tried."""
_LEAST_REPEATED = 3
# Where the scores 1 to 4 begin. zxcvbn asks for five guesses more, which keeps eight signs chosen by chance below 3.
_SCORES = (10**3, 10**6, 10**8, 10**10)
_BEST = len(_SCORES)

_Dictionaries: TypeAlias = dict[str, dict[str, int]]
_Match: TypeAlias = dict[str, Any]

_DICTIONARIES: _Dictionaries = dict(matching.RANKED_DICTIONARIES)
# All matchers but the two that need a bound of their own when there are too many spellings.
_CHEAP_MATCHERS = (
    matching.dictionary_match,
    matching.reverse_dictionary_match,
    matching.spatial_match,
    matching.sequence_match,
    matching.regex_match,
    matching.date_match,
)
_SIGNS = {sign: letter for letter, signs in matching.L33T_TABLE.items() for sign in signs}
# Of all signs only 1, | and 7 stand for two letters; the table above keeps the last one.
_READINGS = (_SIGNS, {**_SIGNS, "1": "i", "|": "i", "7": "l"})

_REPEAT = "Repeated words and characters are easy to guess. Add different words."
_HINTS = {
    "repeat": _REPEAT,
    "sequence": "Sequences such as abc or 6543 are easy to guess. Add words that do not follow from each other.",
    "spatial": "Rows of keys are easy to guess. Use a few words instead.",
    "date": "Dates and years are easy to guess. Add a few words that have nothing to do with them.",
    "regex": "Dates and years are easy to guess. Add a few words that have nothing to do with them.",
    "dictionary": "Common words, names and passwords are easy to guess, with numbers or signs too. "
    "Use four or more words that do not belong together.",
    "user_inputs": "Your name and your address are easy to guess. Use words that have nothing to do with you.",
}
_NO_PATTERN = "This is easy to guess. Add another word or two; uncommon words are better."


@dataclass(frozen=True, kw_only=True)
class Strength:
    """``score`` from 0 (guessed at once) to 4; ``hint`` is what would help, in a sentence that repeats no input.

    A score of 2 begins at a million guesses, 3 at a hundred million, 4 at ten thousand million.
    """

    score: int
    hint: str


def judge(password: str, *, words: Sequence[str] = ()) -> Strength:
    """The strength of ``password`` against somebody who knows ``words`` of its owner. Its length is the caller's."""
    text = unicodedata.normalize("NFKC", password)
    unit = _unit(text)
    if not unit:
        return Strength(score=0, hint=_NO_PATTERN)
    known = {**_DICTIONARIES, "user_inputs": {word: rank for rank, word in enumerate(words, 1)}}
    strongest = _judge_part(unit[:MAX_JUDGED], known)
    if len(unit) > MAX_JUDGED and strongest.score < _BEST:
        strongest = max(strongest, _judge_part(unit[-MAX_JUDGED:], known), key=lambda strength: strength.score)
    return strongest if unit == text else Strength(score=strongest.score, hint=_REPEAT)


def spellings_of(text: str) -> int:
    """In how many ways zxcvbn would read the signs of ``text`` as letters."""
    return len(matching.enumerate_l33t_subs(matching.relevant_l33t_subtable(text, matching.L33T_TABLE)))


def _judge_part(text: str, dictionaries: _Dictionaries) -> Strength:
    result = scoring.most_guessable_match_sequence(text, _matches(text, dictionaries))
    return Strength(score=bisect_right(_SCORES, result["guesses"]), hint=_hint(result["sequence"]))


def _matches(text: str, dictionaries: _Dictionaries) -> list[_Match]:
    if spellings_of(text) <= MAX_SPELLINGS:
        return list(matching.omnimatch(text, dictionaries))
    matches = [match for matcher in _CHEAP_MATCHERS for match in matcher(text, _ranked_dictionaries=dictionaries)]
    return matches + [match for letters in _READINGS for match in _read_as(letters, text, dictionaries)]


def _read_as(letters: dict[str, str], text: str, dictionaries: _Dictionaries) -> Iterator[_Match]:
    """Words that ``text`` holds when each sign is read as its letter, in the form of zxcvbn's own matcher."""
    reading = "".join(letters.get(sign, sign) for sign in text)
    for match in matching.dictionary_match(reading, dictionaries):
        token = text[match["i"] : match["j"] + 1]
        if len(token) > 1 and token.lower() != match["matched_word"]:
            sub = {sign: letters[sign] for sign in token if sign in letters}
            yield {**match, "l33t": True, "token": token, "sub": sub}


def _unit(text: str) -> str:
    """What ``text`` repeats, the last repetition perhaps cut short; ``text`` itself where it repeats nothing.

    zxcvbn takes a repetition apart again and again, and there it forgets the words of the caller.
    """
    longest_unit = len(text) - max(_LEAST_REPEATED, len(text) // 3)
    for period in range(1, longest_unit + 1):
        if text.startswith(text[period:]):
            return text[:period]
    return text


def _hint(sequence: list[dict[str, Any]]) -> str:
    match = max(sequence, key=lambda part: len(part["token"]))
    is_own = match.get("dictionary_name") == "user_inputs"
    return _HINTS.get("user_inputs" if is_own else match["pattern"], _NO_PATTERN)
