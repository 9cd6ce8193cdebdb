"""Which of the languages that there are a visitor reads best (RFC 9110 section 12.5.4, RFC 4647 section 3.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_CHARACTERS = 512
_RANGE = re.compile(
    r"(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,7})"
    r"(?:[ \t]*;[ \t]*q=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII,
)


def choose_language(accept_language: str, *, available: Collection[str], default: str) -> str:
    """The one of ``available`` that ``accept_language`` weighs most, the first of equals; else that of ``default``.

    ``default`` is a locale such as ``de-AT``; where its language is not available either, the answer is English.
    """
    ranges = [_RANGE.fullmatch(part.strip(" \t")) for part in accept_language[:_MAX_CHARACTERS].split(",")]
    weighed = [(float(found["weight"] or 1), found["tag"]) for found in ranges if found]
    wanted = [tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0]
    matches = (_lookup(tag, available) for tag in (*wanted, default))
    return next((language for language in matches if language is not None), "en")


def _lookup(tag: str, available: Collection[str]) -> str | None:
    parts = tag.lower().replace("_", "-").split("-")
    shorter = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((candidate for candidate in shorter if candidate in available), None)
