from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.client_ip import UNKNOWN, client_address, parse_address, prefix, shortened

PEER = "10.0.0.1"


def ask(lines, proxies, peer=PEER):
    return str(client_address(peer=peer, forwarded_for=lines, trusted_proxies=proxies))


@pytest.mark.parametrize(
    ("lines", "proxies", "client"),
    [
        ([], 0, PEER),
        (["1.2.3.4"], 0, PEER),
        (["1.2.3.4"], -1, PEER),
        ([], 1, PEER),
        (["1.2.3.4"], 1, "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4"], 1, "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4"], 1, "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4, 5.6.7.8"], 2, "1.2.3.4"),
        (["6.6.6.6, 1.2.3.4", "5.6.7.8"], 2, "1.2.3.4"),
        (["1.2.3.4"], 2, PEER),
        (["6.6.6.6, nonsense, 1.2.3.4"], 1, "1.2.3.4"),
        (["1.2.3.4, nonsense"], 2, PEER),
        (["1.2.3.4, nonsense"], 1, PEER),
        (["1.2.3.4,"], 1, PEER),
        (["1.2.3.4, , 5.6.7.8"], 2, PEER),
        (["1.2.3.4:1234"], 1, "1.2.3.4"),
        (["[2001:db8::1]:1234"], 1, "2001:db8::1"),
        (["::ffff:1.2.3.4"], 1, "1.2.3.4"),
        (["[::FFFF:1.2.3.4]:80"], 1, "1.2.3.4"),
    ],
)
def test_the_client_is_counted_from_the_right(lines, proxies, client):
    assert ask(lines, proxies) == client


def test_spoofed_forwarded_for_does_not_move_the_client():
    for invented in ("6.6.6.6", "unknown", ",", "::1, 127.0.0.1", "x" * 5000):
        assert ask([f"{invented}, 1.2.3.4"], 1) == "1.2.3.4"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4:",
        "1.2.3.4:999999",
        "1.2.3.4/32",
        "[1.2.3.4]x",
        "[::1",
        "::1]",
        "[::1]:",
        "fe80::1%eth0",
        "[fe80::1%eth0]:1",
        "localhost",
        "unknown",
        "_hidden",
        '"[::1]"',
        "for=1.2.3.4",
        "1.2.3.4\n",
        "\uff11.2.3.4",
        "0x7f.1",
        "2130706433",
    ],
)
def test_what_is_not_exactly_an_address_is_none(text):
    assert parse_address(text) is None
    assert ask([f"1.1.1.1, {text}"], 1) == PEER


@given(st.ip_addresses())
def test_every_address_is_read_back_with_and_without_port(address):
    mapped = getattr(address, "ipv4_mapped", None)
    expected = mapped or address
    bare = str(address)
    assert parse_address(bare) == expected
    with_port = f"[{bare}]:80" if address.version == 6 else f"{bare}:80"
    assert parse_address(with_port) == expected


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (None, str(UNKNOWN)),
        ("", str(UNKNOWN)),
        ("testclient", str(UNKNOWN)),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_peer_may_be_a_socket_without_an_address(peer, client):
    assert ask([], 0, peer=peer) == client


def test_proxies_on_a_unix_socket_can_still_vouch():
    assert ask(["1.2.3.4"], 1, peer=None) == "1.2.3.4"


@pytest.mark.parametrize(
    ("address", "lane", "short"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
    ],
)
def test_a_customer_is_one_ipv4_address_or_64_bits_of_ipv6(address, lane, short):
    assert prefix(ip_address(address)) == lane
    assert shortened(ip_address(address)) == short


@given(st.ip_addresses())
def test_an_address_is_inside_both_of_its_networks(address):
    assert address in ip_network(prefix(address))
    assert ip_network(prefix(address)).subnet_of(ip_network(shortened(address)))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ipv6_rotation_inside_one_64_stays_in_one_lane(host, other):
    network = int(IPv6Address("2001:db8::"))
    assert prefix(IPv6Address(network + host)) == prefix(IPv6Address(network + other))


def test_the_answer_is_a_value_of_the_standard_library():
    assert isinstance(client_address(peer=PEER, forwarded_for=[], trusted_proxies=0), IPv4Address)
