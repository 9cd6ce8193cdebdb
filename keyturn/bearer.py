"""The bearer token of a request, from the Authorization header alone (RFC 6750 section 2.1).

Tokens in a query or a form (sections 2.2 and 2.3) are never looked at: they end in logs and in histories.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from keyturn.errors import BadAuthorization, NoToken
from keyturn.strict import MAX_TOKEN_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)


def read_bearer(authorization: Sequence[str]) -> str:
    """The one token that the ``authorization`` header lines present, well formed and not yet believed.

    One line, scheme in any case, one space, one token of at most ``MAX_TOKEN_CHARACTERS``. Two lines are refused
    rather than ranked: a proxy and the service could believe different ones. Hand in every line that was received;
    a framework that joins them with a comma is refused as well, since no token holds one.

    Raises:
        NoToken: there is no line, or it is of another scheme (section 3.1: the challenge carries no error).
        BadAuthorization: something was presented that is not one bearer token. The message is for the log.
    """
    if not authorization:
        raise NoToken("no Authorization header")
    if len(authorization) > 1:
        raise BadAuthorization("two Authorization headers")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer":
        raise NoToken("another scheme")
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BadAuthorization("the token is too long")
    if not _TOKEN68.fullmatch(token):
        raise BadAuthorization("not one space and one token")
    return token
