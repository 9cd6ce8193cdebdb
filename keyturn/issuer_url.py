"""Addresses of an issuer: which may be one, where its metadata is, and which key sets it may point to. Pure rules."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection
    from urllib.parse import SplitResult

WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
_PORTS: Final = {"https": 443, "http": 80}


def check_issuer(issuer: str) -> str:
    """``issuer``, if it can name an issuer: https, or http on this machine, without query and fragment (RFC 8414).

    Raises:
        ValueError: it cannot.
    """
    parts = _split(issuer)
    if parts is None or parts.query or parts.fragment or "?" in issuer or "#" in issuer:
        raise ValueError("an issuer is an https address without query and fragment (http on this machine alone)")
    return issuer


def metadata_url(issuer: str) -> str:
    """Where the metadata of ``issuer`` is: the well-known part goes before its path (RFC 8414 section 3.1)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def origin(url: str) -> str | None:
    """Scheme, host and port of ``url``, always spelled alike; None where keys may not be fetched from there.

    That is every scheme but https, save http to a loopback address; and every address with a user in it.
    """
    parts = _split(url)
    if parts is None:
        return None
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def is_allowed(jwks_uri: str, *, issuer: str, other_origins: Collection[str]) -> bool:
    """Whether a key set of ``issuer`` may be at ``jwks_uri``: on its own origin, or on one of ``other_origins``."""
    asked = origin(jwks_uri)
    return asked is not None and asked in {origin(issuer), *map(origin, other_origins)}


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host or ""))
    return parts if host and is_secure and "@" not in parts.netloc else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
