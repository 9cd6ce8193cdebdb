"""JSON that has one meaning (RFC 7493): what two parsers could read differently is refused."""

from __future__ import annotations

import json
from typing import Final, NoReturn

from keyturn.errors import Malformed

MAX_CONTAINERS: Final = 32
MAX_INTEGER: Final = 2**53
_MAX_INTEGER_CHARACTERS: Final = len(str(-MAX_INTEGER))


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a JSON object names a member twice")
    return members


def _bounded_integer(digits: str) -> int:
    # The length comes first: turning thousands of digits into an int is slow by itself.
    if len(digits) > _MAX_INTEGER_CHARACTERS or abs(number := int(digits)) > MAX_INTEGER:
        raise Malformed("a JSON integer is out of range")
    return number


def _refuse_number(_: str) -> NoReturn:
    raise Malformed("a JSON number is not an integer")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_int=_bounded_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)


def parse_object(raw: bytes, *, max_containers: int = MAX_CONTAINERS) -> dict[str, object]:
    """The JSON object that ``raw`` spells in UTF-8.

    Refused are: another encoding or a byte order mark, another value than an object, a member named twice at any depth,
    fractions, exponents, NaN and Infinity, integers beyond 2^53, strings with half a surrogate pair, and more than
    ``max_containers`` objects and lists, which bounds the depth without a walk (brackets inside strings count too).

    Raises:
        Malformed: for each of these. The message holds nothing of ``raw``.
    """
    if raw.count(b"{") + raw.count(b"[") > max_containers:
        raise Malformed("too many JSON objects and lists")
    value = _decoded(raw)
    if not isinstance(value, dict):
        raise Malformed("not a JSON object in UTF-8")
    if b"\\u" in raw and not _is_unicode(value):
        raise Malformed("a JSON string is not Unicode text")
    return value


def _decoded(raw: bytes) -> object:
    # The decoder's own error carries the whole text, so it ends here instead of becoming the cause of ours.
    try:
        return _DECODER.decode(raw.decode("utf-8"))
    except ValueError:
        return None


def _is_unicode(value: dict[str, object]) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
