"""How a device token travels: a ``__Host-`` cookie for browsers, the header ``X-Keyturn-Device`` for apps.

Nothing here refuses a request: what is missing, doubled or broken is no token, and the attempt is a stranger's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from service.kernel.secret import Secret
from service.throttle.device import LIFE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

DEVICE_COOKIE = "__Host-keyturn_device"
DEVICE_HEADER = "X-Keyturn-Device"

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def presented_device(
    *, cookie_headers: Sequence[str], device_headers: Sequence[str], by_cookie: bool
) -> Secret[str] | None:
    """The token of a request, not yet believed, from where the refresh token travels too."""
    values = _cookies(cookie_headers) if by_cookie else list(device_headers)
    # Of two, one was planted, and no order says which.
    if len(values) != 1 or not _TOKEN.fullmatch(values[0]):
        return None
    return Secret(values[0])


def device_header(token: Secret[str], *, by_cookie: bool) -> tuple[str, str]:
    """The header of the answer, name and value. Raises ValueError for what is no token."""
    value = token.reveal()
    if not _TOKEN.fullmatch(value):
        raise ValueError("not a device token")
    if not by_cookie:
        return DEVICE_HEADER, value
    return "Set-Cookie", f"{DEVICE_COOKIE}={value}; Max-Age={LIFE_SECONDS}; {_ATTRIBUTES}"


def _cookies(lines: Sequence[str]) -> list[str]:
    pairs = [part.partition("=") for line in lines for part in line.split(";")]
    return [value.strip(" \t") for name, _, value in pairs if name.strip(" \t") == DEVICE_COOKIE]
