from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from service.web import request_address
from service.web.client_ip import client_address
from service.web.request_address import address_of

ADDRESSES = ["192.0.2.1", "198.51.100.7", "2001:db8::1", "nonsense", ""]


def connection(peer, *lines):
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    return HTTPConnection(
        {"type": "http", "client": None if peer is None else (peer, 1), "headers": [(b"a", b"b"), *headers]}
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, *ADDRESSES]),
            st.lists(st.lists(st.sampled_from(ADDRESSES), max_size=3).map(", ".join), max_size=3),
            st.integers(0, 3),
        ),
        max_size=8,
    )
)
def test_each_request_has_the_address_that_the_rule_gives_it_whoever_asked_before(requests):
    for peer, lines, proxies in requests:
        found = address_of(connection(peer, *lines), trusted_proxies=proxies)
        assert found == client_address(peer=peer, forwarded_for=lines, trusted_proxies=proxies)


def test_memory_a_long_header_is_read_and_not_kept():
    before = request_address._known.cache_info().currsize
    long = connection("192.0.2.9", "x" * 10_000 + ", 198.51.100.9")
    assert str(address_of(long, trusted_proxies=1)) == "198.51.100.9"
    assert request_address._known.cache_info().currsize == before
    assert request_address._known.cache_info().maxsize * request_address._KEPT_CHARACTERS < 1_000_000
