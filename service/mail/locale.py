"""Which languages to try for a reader, in order."""

from __future__ import annotations

import re

DEFAULT_LANGUAGE = "en"
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,4}")


def fallback_chain(locale: str) -> tuple[str, ...]:
    """``de-AT`` gives ``de-at``, ``de``, ``en`` (RFC 4647 section 3.4); text that is no locale gives ``en`` alone."""
    tag = locale.lower().replace("_", "-")
    if not _LOCALE.fullmatch(tag):
        return (DEFAULT_LANGUAGE,)
    parts = tag.split("-")
    shorter = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    return tuple(dict.fromkeys((*shorter, DEFAULT_LANGUAGE)))
