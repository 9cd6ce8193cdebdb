"""What a browser's form sends, read strictly: one value a name, only the names that the form has, in UTF-8.

Starlette's reader needs a package more, keeps what it does not know and decodes broken UTF-8 with a replacement.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from service.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FORM_BYTES = 14 * 1024
"""A token, and a password of 1024 characters that each take four octets, percent-encoded."""
MAX_TOKEN_CHARACTERS = 512

_CONTENT_TYPE = re.compile(
    r'application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?', re.ASCII | re.IGNORECASE
)
_TEXT = r"(?:[A-Za-z0-9*._~+-]|%[0-9A-Fa-f]{2})*"
_PAIR = re.compile(rf"(?P<name>{_TEXT})=(?P<value>{_TEXT})", re.ASCII)
# The characters of ``Links``; a token that is shown again in a page consists of nothing else.
_TOKEN = re.compile(rf"[A-Za-z0-9._~-]{{16,{MAX_TOKEN_CHARACTERS}}}", re.ASCII)


def check_form_type(content_types: Sequence[str], content_encodings: Sequence[str]) -> None:
    """Pass one ``application/x-www-form-urlencoded``, not compressed; raise ``UnsupportedMediaType`` else."""
    if len(content_types) != 1 or not _CONTENT_TYPE.fullmatch(content_types[0]):
        raise UnsupportedMediaType("content type")
    if content_encodings:
        raise UnsupportedMediaType("content encoding")


def parse_form(body: bytes, *, names: frozenset[str]) -> dict[str, str]:
    """The fields of a form that has exactly ``names`` (URL Standard section 5.1, without its leniency).

    Raises ``PayloadTooLarge`` above ``MAX_FORM_BYTES`` and ``BadRequest`` for a name that is missing, unknown or stands
    twice, characters that a browser would have escaped, broken UTF-8, and NUL.
    """
    if len(body) > MAX_FORM_BYTES:
        raise PayloadTooLarge("form")
    pairs = [_pair(part) for part in body.decode("ascii", "replace").split("&")]
    fields = dict(pairs)
    if len(fields) != len(pairs) or fields.keys() != names:
        raise BadRequest("form names")
    return fields


def token_of_query(query_string: bytes) -> str | None:
    """The token of a mailed link, or None where there is not exactly one well-formed one.

    Other names are passed over: mail gateways hang their own parameters on links, and nothing here acts on them.
    """
    parts = query_string.decode("ascii", "replace").split("&")
    tokens = [value for name, _, value in (part.partition("=") for part in parts) if name == "token"]
    return tokens[0] if len(tokens) == 1 and is_token(tokens[0]) else None


def is_token(text: str) -> bool:
    """Whether ``text`` is written as tokens are; says nothing about whether it works."""
    return _TOKEN.fullmatch(text) is not None


def _pair(part: str) -> tuple[str, str]:
    found = _PAIR.fullmatch(part)
    if found is None:
        raise BadRequest("form")
    return _decoded(found["name"]), _decoded(found["value"])


def _decoded(text: str) -> str:
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("form is not UTF-8") from None
    if "\x00" in decoded:
        raise BadRequest("NUL in form")
    return decoded
