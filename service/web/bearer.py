"""The bearer token of a request, from the Authorization header alone (RFC 6750 section 2.1).

Tokens in a query or a form (sections 2.2 and 2.3) are never looked at: they end in logs and in histories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TOKEN_CHARACTERS = 4096

_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class NoToken:
    """No Authorization header, or one of another scheme: the challenge carries no error (section 3.1)."""


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """Something was presented that is not one bearer token; ``reason`` is for the log."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Presented:
    """One token, well formed and not yet believed."""

    token: Secret[str]


Bearer = NoToken | Malformed | Presented


def read_bearer(authorization: Sequence[str]) -> Bearer:
    """What the ``authorization`` header lines present.

    One line, scheme in any case, one space, one token of at most ``MAX_TOKEN_CHARACTERS``. Two lines are refused
    rather than ranked: a proxy and the service could believe different ones.
    """
    if not authorization:
        return NoToken()
    if len(authorization) > 1:
        return Malformed(reason="two Authorization headers")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        return NoToken()
    if len(token) > MAX_TOKEN_CHARACTERS:
        return Malformed(reason="token too long")
    if not _TOKEN68.fullmatch(token):
        return Malformed(reason="not one space and one token")
    return Presented(token=Secret(token))
