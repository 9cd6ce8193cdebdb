"""The client's address of a request: which of its parts the rule of ``client_ip`` is given, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.web.client_ip import client_address

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from service.web.client_ip import Address


def address_of(connection: HTTPConnection, *, trusted_proxies: int) -> Address:
    """The address to hold responsible for ``connection``; ``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""
    return client_address(
        peer=None if connection.client is None else connection.client.host,
        forwarded_for=connection.headers.getlist("x-forwarded-for"),
        trusted_proxies=trusted_proxies,
    )
