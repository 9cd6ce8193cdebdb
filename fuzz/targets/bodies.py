"""JSON and queries: what is taken means the same to Python's own reader, and nothing is said twice."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from keyturn import strict_json
from keyturn.errors import Malformed
from service.errors import BadRequest, Invalid, UnsupportedMediaType
from service.web.strict_json import MAX_DEPTH, check_content_type, parse_json
from service.web.strict_query import check_query


def token_json(data: bytes) -> None:
    """The object in a token."""
    try:
        found = strict_json.parse_object(data)
    except Malformed:
        return
    assert found == json.loads(data.decode("utf-8"))
    _check_strict(found, depth=strict_json.MAX_CONTAINERS)


def body_json(data: bytes) -> None:
    """The body of a request; its first line may also be a content type."""
    _content_type(data)
    try:
        found = parse_json(data)
    except BadRequest:
        return
    assert found == json.loads(data.decode("utf-8"))
    _check_strict(found, depth=MAX_DEPTH)


def _content_type(data: bytes) -> None:
    first, _, rest = data.partition(b"\n")
    try:
        check_content_type([first.decode("latin-1")], [rest[:20].decode("latin-1")] if rest else [])
    except UnsupportedMediaType:
        return
    assert first.lower().startswith(b"application/json")


def _check_strict(value: object, *, depth: int) -> None:
    """``value`` can be written again as UTF-8 and is no deeper than allowed."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert _depth(value) <= depth


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def query(data: bytes) -> None:
    """A query that passes has known names once each, for the reader that FastAPI uses too."""
    try:
        check_query(data, frozenset({"cursor", "limit"}))
    except (BadRequest, Invalid):
        return
    read = parse_qs(data.decode("ascii"), keep_blank_values=True)
    assert read.keys() <= {"cursor", "limit"}
    assert all(len(values) == 1 for values in read.values())
