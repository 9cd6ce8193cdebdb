"""Session data as JSON text, and how the changes of two requests come together. Never pickle: reading runs nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from keyturn.websession.errors import SessionNotJson

if TYPE_CHECKING:
    from collections.abc import Mapping


def dumps(value: object) -> str:
    """``value`` as JSON text with sorted names, so that equal data has one spelling.

    Raises:
        SessionNotJson: it holds an object of a class, bytes, NaN, half a surrogate pair, or itself.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        # The library's message quotes the value.
        raise SessionNotJson(
            "a session holds JSON only: text, numbers, lists, and objects with text as names"
        ) from None
    return text


def loads(text: str) -> dict[str, object]:
    """The data that ``dumps`` wrote."""
    return cast("dict[str, object]", json.loads(text))


def merged(*, base: str, mine: Mapping[str, object], theirs: str) -> dict[str, object]:
    """``theirs`` with what this request changed: ``mine`` compared with the ``base`` that it was given.

    Two requests that change different names both keep their change; of one name, the later writer's value stays.
    Values are compared as text, since ``True == 1`` and they are not the same.
    """
    before = {name: dumps(value) for name, value in loads(base).items()}
    changed = {name: value for name, value in mine.items() if before.get(name) != dumps(value)}
    removed = before.keys() - mine.keys()
    return {name: value for name, value in loads(theirs).items() if name not in removed} | changed
