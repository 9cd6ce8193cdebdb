"""Header lines: what a client can put there decides nothing that is not its own to decide."""

from __future__ import annotations

from ipaddress import ip_address

from keyturn.bearer import read_bearer
from keyturn.errors import BadAuthorization, NoToken
from service.errors import CrossSite
from service.web.client_ip import client_address, parse_address, prefix, shortened
from service.web.cookies import REFRESH_COOKIE, PresentedCookie, read_refresh_cookie, set_refresh_cookie
from service.web.csrf import SiteRule

_PEER = "192.0.2.7"
_RULE = SiteRule(own_origin="https://auth.example.com", allowed_origins=frozenset({"https://app.example.com"}))


def _lines(data: bytes) -> list[str]:
    """Header lines as a server hands them on."""
    return [line.decode("latin-1") for line in data.split(b"\n")]


def bearer(data: bytes) -> None:
    """A token is taken from one line alone, whole."""
    lines = _lines(data)
    try:
        token = read_bearer(lines)
    except (NoToken, BadAuthorization):
        return
    assert len(lines) == 1
    assert lines[0].lower().removeprefix("bearer ") == token.lower()
    assert token.isascii()
    assert not set(token) & set(' ,;"\t')


def cookies(data: bytes) -> None:
    """A refresh cookie is taken where its name stands once, and can be set again as it was read."""
    lines = _lines(data)
    found = read_refresh_cookie(lines)
    if isinstance(found, PresentedCookie):
        names = [part.partition("=")[0].strip(" \t") for line in lines for part in line.split(";")]
        assert names.count(REFRESH_COOKIE) == 1
        written = set_refresh_cookie(found.token, max_age_seconds=60)
        assert read_refresh_cookie([written.partition(";")[0]]) == found
        assert read_refresh_cookie([*lines, f"{REFRESH_COOKIE}=planted"]) != found


def client_ip(data: bytes) -> None:
    """The first octet is the count of proxies. What the client writes before theirs changes nothing."""
    proxies = data[0] % 4 if data else 0
    lines = _lines(data[1:])
    found = client_address(peer=_PEER, forwarded_for=lines, trusted_proxies=proxies)
    prefix(found)
    shortened(found)
    if proxies == 0:
        assert found == ip_address(_PEER)
    hops = ",".join(lines).split(",")
    if len(hops) >= proxies:
        for invented in ("198.51.100.1", "", "x, 203.0.113.9", ","):
            again = client_address(peer=_PEER, forwarded_for=[invented, *lines], trusted_proxies=proxies)
            assert again == found
    read = parse_address(data.decode("latin-1"))
    assert read is None or parse_address(str(read)) == read


def site(data: bytes) -> None:
    """A write passes with our header and an origin of ours, or the browser's word that it is the same one."""
    fetch_site, _, rest = data.partition(b"\n")
    origin, _, custom = rest.partition(b"\n")
    lines = [[part.decode("latin-1")] if part else [] for part in (fetch_site, origin, custom)]
    try:
        _RULE.check(sec_fetch_site=lines[0], origin=lines[1], keyturn_request=lines[2])
    except CrossSite:
        return
    assert lines[2] == ["1"]
    assert lines[1] in ([], ["https://auth.example.com"], ["https://app.example.com"])
    assert lines[0] or lines[1]
