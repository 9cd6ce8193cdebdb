"""Web origins as exact texts (RFC 6454 section 6.1), checked once so that comparing them is ``==`` ever after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?P<port>:[1-9][0-9]{0,4})?",
    re.ASCII,
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def check_origin(origin: str) -> str:
    """``origin`` itself, spelled as a browser sends it; raises ``ValueError`` that says what to write instead.

    Refused: ``*``, ``null``, a path or a trailing slash, upper case, a default port, and plain http except on this
    machine, where a development server runs.
    """
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:
        raise ValueError(
            f"{origin!r} is not an origin: write https://host or https://host:port, in lower case, no path"
        )
    if parts["port"] == _DEFAULT_PORTS[parts["scheme"]]:
        raise ValueError(f"{origin!r} names the default port, which browsers leave out: remove it")
    if parts["scheme"] == "http" and parts["host"] not in _LOOPBACK:
        raise ValueError(f"{origin!r} is plain http: use https (http is for localhost only)")
    return origin


def check_origins(origins: Iterable[str]) -> frozenset[str]:
    """The allow-list that ``origins`` spell; raises ``ValueError`` for the first that is refused."""
    return frozenset(check_origin(origin) for origin in origins)


def origin_of(base_url: str) -> str:
    """The origin of an absolute http(s) URL, as a browser would send it; raises ``ValueError`` for another."""
    parts = urlsplit(base_url)
    port = "" if parts.port is None else f":{parts.port}"
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{base_url!r} is not an absolute http or https URL")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port == _DEFAULT_PORTS[parts.scheme] else port}"
