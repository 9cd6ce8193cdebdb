"""pydantic's errors as ours: stable codes, fixed sentences, and nothing of what was sent.

pydantic's ``input``, ``ctx``, ``url`` and ``msg`` are never read: each of them may hold a submitted password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_ERRORS = 20
UNKNOWN_NAME = "?"

_PLACES = frozenset({"body", "query", "path", "header", "cookie"})
_SAFE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)
_MAX_DEPTH = 8

MESSAGES: dict[str, str] = {
    "missing": "This field is needed.",
    "unknown_field": "This field is not known.",
    "duplicate_field": "This field stands twice.",
    "wrong_type": "This value has the wrong type.",
    "too_short": "This value is too short.",
    "too_long": "This value is too long.",
    "out_of_range": "This value is out of range.",
    "wrong_format": "This value has the wrong format.",
    "not_allowed": "This value is not one of those allowed.",
    "invalid": "This value is not valid.",
}

_CODES: dict[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "bytes_too_short": "too_short",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "bytes_too_long": "too_long",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "multiple_of": "out_of_range",
    "finite_number": "out_of_range",
    "string_pattern_mismatch": "wrong_format",
    "string_unicode": "wrong_format",
    "json_invalid": "wrong_format",
    "literal_error": "not_allowed",
    "enum": "not_allowed",
    "int_from_float": "wrong_type",
}


def code_for(pydantic_type: str) -> str:
    """Our stable code for one of pydantic's error types; ``invalid`` for those that have no place in the table."""
    if pydantic_type in _CODES:
        return _CODES[pydantic_type]
    if pydantic_type.endswith("_type"):
        return "wrong_type"
    if pydantic_type.endswith(("_parsing", "_from_datetime_inexact")):
        return "wrong_format"
    return "invalid"


def safe_name(part: object) -> str:
    """A member's name if it looks like one, else ``?``: names may be invented by the client, and hold anything."""
    if isinstance(part, int):
        return str(part)
    return part if isinstance(part, str) and _SAFE_NAME.fullmatch(part) else UNKNOWN_NAME


def field_name(location: Sequence[object]) -> str:
    """``("body", "a", 0)`` as ``a.0``; the place itself (``body``, ``query``) where nothing stands behind it."""
    parts = location[1:] if len(location) > 1 and location[0] in _PLACES else location
    return ".".join(safe_name(part) for part in parts[:_MAX_DEPTH]) or "body"


def field_error(field: str, code: str) -> FieldError:
    """A refusal with the sentence that belongs to ``code``."""
    return FieldError(field=field, code=code, message=MESSAGES[code])


def field_errors(errors: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """At most ``MAX_ERRORS`` refusals, so that a body of unknown fields cannot be turned into a large answer."""
    found = [field_error(field_name(e["loc"]), code_for(e["type"])) for e in errors]
    return tuple(dict.fromkeys(found))[:MAX_ERRORS]
