"""The client's address of a request: which of its parts the rule of ``client_ip`` is given, in one place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from service.web.client_ip import client_address

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from service.web.client_ip import Address


_KNOWN = 2048
_KEPT_CHARACTERS = 200
"""What is kept stays below a megabyte, whatever clients put into the header."""


def address_of(connection: HTTPConnection, *, trusted_proxies: int) -> Address:
    """The address to hold responsible for ``connection``; ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""
    peer = None if connection.client is None else connection.client.host
    lines = tuple(connection.headers.getlist("x-forwarded-for")) if trusted_proxies else ()
    if sum(map(len, lines)) > _KEPT_CHARACTERS:
        return client_address(peer=peer, forwarded_for=lines, trusted_proxies=trusted_proxies)
    return _known(peer, lines, trusted_proxies)


@lru_cache(maxsize=_KNOWN)
def _known(peer: str | None, lines: tuple[str, ...], trusted_proxies: int) -> Address:
    """A client asks more than once, and a request is asked for its address more than once."""
    return client_address(peer=peer, forwarded_for=lines, trusted_proxies=trusted_proxies)
