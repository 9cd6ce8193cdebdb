"""The values that a mail may carry, and one check for each: what does not pass never reaches a template.

Two of them come from whoever knocks: the device and the address of a new sign-in. A sentence or a host name smuggled
in there would be a phishing mail with our signature, and an error would keep the owner from being told; so
``device_label`` makes something harmless of any text, and the check takes nothing else.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LINK_CHARACTERS = 900
MAX_DEVICE_CHARACTERS = 80
UNKNOWN = "unknown"
ENDED_REASONS = frozenset({"refresh_token_reuse"})

_LINK = re.compile(r"(?:https://|http://(?:localhost|127\.[0-9.]+|\[::1\])[:/])[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")
_CODE = re.compile(r"[0-9A-Za-z-]{4,32}")
_MINUTES = re.compile(r"[1-9][0-9]{0,4}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,()+_-]+")
_HOST_NAME_DOT = re.compile(r"\.(?=[A-Za-z])")


def device_label(text: str) -> str:
    """What may be said of a device: plain letters, and no dot before a letter, so that no mail program makes a link."""
    plain = _HOST_NAME_DOT.sub(" ", _NOT_PLAIN.sub(" ", text))
    return " ".join(plain.split())[:MAX_DEVICE_CHARACTERS].strip() or UNKNOWN


def address_label(text: str) -> str:
    """An IP address or network as it may be shown; anything else is ``unknown``."""
    try:
        return str(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))
    except ValueError:
        return UNKNOWN


def time_label(now_ms: int) -> str:
    """A moment as it is shown: ``2026-01-31 17:05 UTC``."""
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _is_link(text: str) -> bool:
    return len(text) <= MAX_LINK_CHARACTERS and bool(_LINK.fullmatch(text))


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "link": _is_link,
    "code": lambda text: bool(_CODE.fullmatch(text)),
    "expires_minutes": lambda text: bool(_MINUTES.fullmatch(text)),
    "device": lambda text: text == device_label(text),
    "address": lambda text: text == address_label(text),
    "time": lambda text: bool(_TIME.fullmatch(text)),
    "reason": lambda text: text in ENDED_REASONS,
}
