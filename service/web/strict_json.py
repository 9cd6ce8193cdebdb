"""JSON bodies read strictly: one meaning for every reader, or a refusal (RFC 8259, I-JSON RFC 7493 section 2).

Python's parser takes ``NaN``, the last of two equal members, lone surrogates and ``1e999``; each of them has made
two readers disagree about one request, or ended as a 500.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from service.errors import BadRequest, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

MAX_DEPTH = 8

_CONTENT_TYPE = re.compile(
    r'application/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?', re.ASCII | re.IGNORECASE
)
_HALF = re.compile("[\ud800-\udfff]")
_STRUCTURE = re.compile(r'\\.|["\[\]{}]', re.DOTALL)


class StrictModel(BaseModel):
    """A body: exact types, no unknown fields, unchangeable, and silent about its input when it is refused.

    Strict means that a field that is not text, number, boolean, list or object in JSON (a date, a UUID) refuses its
    JSON form: declare it as ``str`` and parse it in the feature.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class _Refused(ValueError):
    """Why a body was refused; the reason is a constant of ours."""


def check_content_type(content_types: Sequence[str], content_encodings: Sequence[str]) -> None:
    """Pass one ``application/json``, in UTF-8 and not compressed; raise ``UnsupportedMediaType`` else."""
    if len(content_types) != 1 or not _CONTENT_TYPE.fullmatch(content_types[0]):
        raise UnsupportedMediaType("content type")
    if any(encoding.strip().lower() != "identity" for encoding in content_encodings):
        raise UnsupportedMediaType("content encoding")


def parse_json(body: bytes) -> Any:
    """The value that ``body`` spells.

    Raises ``BadRequest`` with code ``malformed_json`` for anything but one JSON text in UTF-8 without a byte order
    mark, with members named once, finite numbers, whole characters, no NUL and at most ``MAX_DEPTH`` levels.
    """
    reason = ""
    try:
        return _parse(body)
    except _Refused as error:
        reason = str(error)
    except ValueError:
        reason = "it is not JSON in UTF-8"
    raise BadRequest(reason, code="malformed_json", title=f"The body cannot be read: {reason}.")


def _parse(body: bytes) -> Any:
    text = body.decode("utf-8")
    _check_depth(text)
    value = _DECODER.decode(text)
    _check_text(value)
    return value


def _check_depth(text: str) -> None:
    """Count brackets outside of strings before the parser recurses into them; one pass, whatever the text."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    in_string = False
    for token in _STRUCTURE.finditer(text):
        sign = token[0]
        if sign == '"':
            in_string = not in_string
        elif not in_string and sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _Refused("it is nested too deeply")
        elif not in_string and sign in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("a member stands twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("a number is out of range")
    return number


def _whole(text: str) -> int:
    if len(text) > len("-9223372036854775808"):
        raise _Refused("a number is out of range")
    return int(text)


def _constant(_text: str) -> NoReturn:
    raise _Refused("NaN and Infinity are not JSON")


def _check_text(value: Any) -> None:
    """Walk ``value``, whose depth is bounded, and refuse NUL and half characters in texts and names."""
    match value:
        case str():
            _check_string(value)
        case dict():
            for name, member in value.items():
                _check_string(name)
                _check_text(member)
        case list():
            for member in value:
                _check_text(member)
        case _:
            return


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise _Refused("a text holds NUL")
    if not text.isascii() and _HALF.search(text):
        raise _Refused("a text holds half a character")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant, parse_int=_whole)
