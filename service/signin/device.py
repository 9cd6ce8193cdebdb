"""What a request tells of the device, shortened, for its owner to recognise a session by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.sessions.model import Device
from service.signin.model import Origin
from service.throttle.device_headers import DEVICE_HEADER, presented_device
from service.web.client_ip import prefix, shortened
from service.web.request_address import address_of

if TYPE_CHECKING:
    from fastapi import Request

    from service.web.client_ip import Address

_USER_AGENT_CHARACTERS = 120


@dataclass(frozen=True, kw_only=True)
class DeviceReader:
    """``trusted_proxies`` is ``KEYTURN_TRUSTED_PROXIES``."""

    trusted_proxies: int

    def read(self, request: Request, *, name: str | None) -> Device:
        """The device behind ``request``; ``name`` is what its owner calls it."""
        return Device(
            name=_printable(name),
            user_agent=_printable(request.headers.get("user-agent")),
            address=shortened(self._address(request)),
        )

    def origin(self, request: Request, *, by_cookie: bool) -> Origin:
        """What the throttle counts ``request`` by."""
        return Origin(
            network=prefix(self._address(request)),
            device_token=presented_device(
                cookie_headers=request.headers.getlist("cookie"),
                device_headers=request.headers.getlist(DEVICE_HEADER),
                by_cookie=by_cookie,
            ),
        )

    def _address(self, request: Request) -> Address:
        return address_of(request, trusted_proxies=self.trusted_proxies)


def _printable(text: str | None) -> str | None:
    if text is None:
        return None
    kept = "".join(letter for letter in text if letter.isprintable())[:_USER_AGENT_CHARACTERS].strip()
    return kept or None
