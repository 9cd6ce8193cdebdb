"""Links in mails, built from the configured base URL only: no request, and so no Host header, can be reached from here.

CWE-640: a link whose host follows the request hands the token to whoever sent the request.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,512}")


class BaseUrlRefused(ValueError):
    """The configured base URL cannot carry links."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """The links that mails carry. The token stands in the query.

    A fragment would stay out of access logs, but never reaches the server, and the page has to work without
    JavaScript. What makes the query safe is that GET only shows a button, the token works once, and the page
    sends no Referer.

    Raises:
        BaseUrlRefused: unless ``base_url`` is https (http for loopback) with a host and an optional plain path.
    """

    base_url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _checked_base_url(self.base_url))

    def verify_email(self, *, token: str) -> str:
        """Where an address is confirmed."""
        return self._with_token("/email/verify", token)

    def reset_password(self, *, token: str) -> str:
        """Where a new password is chosen."""
        return self._with_token("/password/reset", token)

    def change_email(self, *, token: str) -> str:
        """Where a new address is confirmed."""
        return self._with_token("/email/change", token)

    def _with_token(self, path: str, token: str) -> str:
        if not _TOKEN.fullmatch(token):
            raise ValueError("a token in a link is 16 to 512 characters that need no escaping")
        return f"{self.base_url}{path}?token={token}"


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine and no other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _checked_base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BaseUrlRefused("the base URL cannot be read") from None
    host_and_port = parts.netloc.lower()
    host = host_and_port if port is None else host_and_port.removesuffix(f":{port}")
    path = parts.path.rstrip("/")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        raise BaseUrlRefused("the base URL needs a plain host, an optional port and an optional path, and no more")
    _check_scheme(parts)
    if not text.isascii() or text.rstrip("/").lower() != f"{parts.scheme}://{host_and_port}{path}".lower():
        raise BaseUrlRefused("the base URL has no query, no fragment, no spaces and no credentials")
    return f"{parts.scheme}://{host_and_port}{path}"


def _check_scheme(parts: SplitResult) -> None:
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise BaseUrlRefused("the base URL must be https; http is for loopback only")
