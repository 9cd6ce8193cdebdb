"""The network that a request is counted by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.web.client_ip import client_address, prefix

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True, kw_only=True)
class Networks:
    """``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""

    trusted_proxies: int

    def of(self, request: Request) -> str:
        """The client's network: IPv4 ``/32``, IPv6 ``/64``."""
        address = client_address(
            peer=None if request.client is None else request.client.host,
            forwarded_for=request.headers.getlist("x-forwarded-for"),
            trusted_proxies=self.trusted_proxies,
        )
        return prefix(address)
