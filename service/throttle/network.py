"""The network that a request is counted by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.web.client_ip import prefix
from service.web.request_address import address_of

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True, kw_only=True)
class Networks:
    """``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""

    trusted_proxies: int

    def of(self, request: Request) -> str:
        """The client's network: IPv4 ``/32``, IPv6 ``/64``."""
        return prefix(address_of(request, trusted_proxies=self.trusted_proxies))
