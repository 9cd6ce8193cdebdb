"""How long an answer stays fresh, by its own word (RFC 9111 section 5.2). Pure rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyturn.bounds import Bounds

# More digits are more years than anybody means.
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)


def fresh_seconds(headers: Mapping[str, str], *, bounds: Bounds) -> float:
    """For how many seconds from now the answer with ``headers`` (lower-case names) is fresh, kept inside ``bounds``.

    ``max-age`` less the ``Age`` that a cache on the way reports. ``no-store`` and ``no-cache`` are taken for zero.
    """
    directives = _directives(headers.get("cache-control", ""))
    said: float = bounds.default_fresh_seconds
    if directives.keys() & {"no-store", "no-cache"}:
        said = 0
    elif (max_age := _seconds(directives.get("max-age"))) is not None:
        said = max_age - (_seconds(headers.get("age")) or 0)
    return min(max(said, bounds.min_fresh_seconds), bounds.max_fresh_seconds)


def _directives(text: str) -> dict[str, str]:
    parts = (part.strip().partition("=") for part in text.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in parts}


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None
