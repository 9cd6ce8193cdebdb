"""The refresh cookie: written and read as header values, by rules only.

The prefix ``__Host-`` binds it to this host, to https and to the whole path (RFC 6265bis section 4.1.3.2), so that a
neighbour on a sibling domain cannot plant one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

REFRESH_COOKIE = "__Host-keyturn_refresh"

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_VALUE = re.compile(r"[A-Za-z0-9_.~-]{1,512}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NoCookie:
    """The cookie was not sent."""


@dataclass(frozen=True, kw_only=True)
class RefusedCookie:
    """The cookie was sent twice or is not a token; ``reason`` is for the log."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PresentedCookie:
    """The cookie's value, not yet believed."""

    token: Secret[str]


RefreshCookie = NoCookie | RefusedCookie | PresentedCookie


def read_refresh_cookie(cookie_headers: Sequence[str]) -> RefreshCookie:
    """The refresh cookie of all ``Cookie`` lines (HTTP/2 may split them).

    Two of the name are refused, though their values be equal: one of them was planted, and no order says which.
    """
    values = [value for line in cookie_headers for name, value in map(_pair, line.split(";")) if name == REFRESH_COOKIE]
    if not values:
        return NoCookie()
    if len(values) > 1:
        return RefusedCookie(reason="two refresh cookies")
    if not _VALUE.fullmatch(values[0]):
        return RefusedCookie(reason="not a token")
    return PresentedCookie(token=Secret(values[0]))


def set_refresh_cookie(token: Secret[str], *, max_age_seconds: int) -> str:
    """The value of a ``Set-Cookie`` header; raises ``ValueError`` for a token that is no cookie value."""
    value = token.reveal()
    if not _VALUE.fullmatch(value) or max_age_seconds <= 0:
        raise ValueError("not a refresh token with a life")
    return f"{REFRESH_COOKIE}={value}; Max-Age={max_age_seconds}; {_ATTRIBUTES}"


def delete_refresh_cookie() -> str:
    """The value of a ``Set-Cookie`` header that removes the cookie: the same attributes, or browsers keep it."""
    return f"{REFRESH_COOKIE}=; Max-Age=0; {_ATTRIBUTES}"


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(" \t"), value.strip(" \t")
