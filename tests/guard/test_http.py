"""The bounded GET by itself, as it is used for longer than one fetch."""

from __future__ import annotations

import json
import time

import pytest

from keyturn.errors import IssuerFault
from keyturn.http import HttpFetcher
from keyturn.issuer_url import WELL_KNOWN
from tests.guard.test_threads_and_forks import in_a_child

# Less than a connection may be idle: a child that took longer has nothing to do with the parent's being closed.
IDLE_SECONDS = 4


@pytest.fixture
def fetcher():
    fetcher = HttpFetcher(max_bytes=10_000)
    yield fetcher
    fetcher.close()


def peers(live):
    """Has the issuer tell from which port it was asked."""
    live.answers[WELL_KNOWN] = respond_with_port
    return live.issuer + WELL_KNOWN


def respond_with_port(handler):
    body = json.dumps(handler.client_address[1]).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_connection_is_used_again_until_it_is_closed(live, fetcher):
    url = peers(live)
    first, second = (fetcher.get(url, seconds=5).body for _ in range(2))
    assert first == second
    fetcher.close()
    assert fetcher.get(url, seconds=5).body != first


def test_the_child_of_a_fork_has_a_connection_of_its_own(live, fetcher):
    url = peers(live)
    for _ in range(5):
        parents, began = fetcher.get(url, seconds=5).body, time.monotonic()

        def work(parents=parents):
            assert fetcher.get(url, seconds=5).body != parents

        assert in_a_child(work)
        if time.monotonic() - began < IDLE_SECONDS:
            break
    assert fetcher.get(url, seconds=5).body == parents


def test_headers_of_the_caller_are_sent_and_no_cookie_ever(live, fetcher):
    seen = []

    def note(handler):
        seen.append(handler.headers)
        handler.send_response(204)
        handler.send_header("Set-Cookie", "tracked=1")
        handler.end_headers()

    live.answers[WELL_KNOWN] = note
    for _ in range(2):
        fetcher.get(live.issuer + WELL_KNOWN, seconds=5, headers={"If-None-Match": '"tag"'})
    assert [one["If-None-Match"] for one in seen] == ['"tag"'] * 2
    assert [one["Accept-Encoding"] for one in seen] == ["identity"] * 2
    assert not any("Cookie" in one for one in seen)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[", "https://", "http://127.0.0.1:99999/"])
def test_whatever_is_wrong_with_an_address_is_one_kind_of_fault(fetcher, url):
    with pytest.raises(IssuerFault) as fault:
        fetcher.get(url, seconds=5)
    assert fault.value.__cause__ is None
