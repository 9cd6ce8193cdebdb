"""The client's address: the peer's, or the one that a known count of proxies vouches for.

Each proxy appends the address that it saw to X-Forwarded-For, so with two proxies the second from the right is the
client, and everything left of it is the client's own invention. uvicorn must be started with ``proxy_headers=False``:
its own reading trusts any process on this machine.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = IPv4Address | IPv6Address

UNKNOWN: Address = IPv4Address("0.0.0.0")  # noqa: S104
"""Stands for a peer without an address (a Unix socket): all such share one lane."""

_PORT = r"(?::[0-9]{1,5})?"
_IPV4 = re.compile(rf"(?P<host>[0-9.]{{7,15}}){_PORT}", re.ASCII)
_BRACKETED = re.compile(rf"\[(?P<host>[0-9A-Fa-f:.]{{2,45}})\]{_PORT}", re.ASCII)
_IPV6 = re.compile(r"(?P<host>[0-9A-Fa-f:.]{2,45})", re.ASCII)


def client_address(*, peer: str | None, forwarded_for: Sequence[str], trusted_proxies: int) -> Address:
    """The address to hold responsible.

    ``forwarded_for`` are all X-Forwarded-For lines in order. Where they name fewer hops than ``trusted_proxies``, or
    one of those hops is not an address, the answer is the peer's own: too coarse, never the client's choice.
    """
    if trusted_proxies <= 0:
        return _peer_address(peer)
    hops = [hop.strip(" \t") for hop in ",".join(forwarded_for).split(",")][-trusted_proxies:]
    addresses = [parse_address(hop) for hop in hops]
    if len(addresses) < trusted_proxies or None in addresses:
        return _peer_address(peer)
    return addresses[0] or _peer_address(peer)


def parse_address(text: str) -> Address | None:
    """``1.2.3.4``, ``1.2.3.4:80``, ``::1``, ``[::1]`` or ``[::1]:80``, IPv4-mapped ones as IPv4; or None."""
    for form in (_IPV4, _BRACKETED, _IPV6):
        parts = form.fullmatch(text)
        if parts:
            return _fold(parts["host"])
    return None


def prefix(address: Address) -> str:
    """The network that one customer holds, for throttling: IPv4 ``/32``, IPv6 ``/64``."""
    return _network(address, ipv4_bits=32, ipv6_bits=64)


def shortened(address: Address) -> str:
    """A coarser network for showing to people and keeping: IPv4 ``/24``, IPv6 ``/48``."""
    return _network(address, ipv4_bits=24, ipv6_bits=48)


def _network(address: Address, *, ipv4_bits: int, ipv6_bits: int) -> str:
    bits = ipv4_bits if isinstance(address, IPv4Address) else ipv6_bits
    rest = address.max_prefixlen - bits
    return f"{type(address)(int(address) >> rest << rest)}/{bits}"


def _peer_address(peer: str | None) -> Address:
    host = (peer or "").partition("%")[0]
    return _fold(host) or UNKNOWN


def _fold(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
