"""The range API over a real socket: what httpx really sends, keeps and follows."""

from __future__ import annotations

import asyncio

import pytest

from service.kernel.secret import Secret
from service.passwords import breach_range
from service.passwords.breach import Breach
from service.passwords.breach_range import RangeBreachList, open_range_client
from tests.support.range_service import BODY, DIGEST, OK, PASSWORD, serving


@pytest.fixture
async def client():
    async with open_range_client() as client:
        yield client


def listing(client, clock, base_url):
    return RangeBreachList(client=client, clock=clock, count=lambda _outcome: None, base_url=base_url)


async def test_a_listed_password_is_found_and_five_digits_are_all_that_was_sent(client, clock):
    async with serving(OK) as (url, heads):
        assert await listing(client, clock, url).contains(Secret(PASSWORD)) is Breach.LISTED
    head = heads[0].decode().lower()
    assert head.startswith(f"get /range/{DIGEST[:5].lower()} http/1.1\r\n")
    assert "add-padding: true" in head
    assert DIGEST[:6].lower() not in head


async def test_attack_a_cookie_of_the_service_ties_no_two_requests_together(client, clock):
    async with serving(OK) as (url, heads):
        for _ in range(2):
            await listing(client, clock, url).contains(Secret(PASSWORD))
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


async def test_an_answer_that_is_cut_off_is_unknown(client, clock):
    cut = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9000\r\n\r\n" + BODY
    async with serving(cut) as (url, _heads):
        client.timeout = 0.2
        assert await listing(client, clock, url).contains(Secret(PASSWORD)) is Breach.UNKNOWN


async def test_what_speaks_no_http_is_unknown(client, clock):
    async with serving(b"220 mail.example ESMTP\r\n") as (url, _heads):
        assert await listing(client, clock, url).contains(Secret(PASSWORD)) is Breach.UNKNOWN


async def test_a_service_that_never_answers_costs_a_bounded_wait(client, clock, monkeypatch):
    monkeypatch.setattr(breach_range, "_TOTAL_SECONDS", 0.1)
    async with serving(b"", hold=True) as (url, _heads):
        async with asyncio.timeout(30):
            assert await listing(client, clock, url).contains(Secret(PASSWORD)) is Breach.UNKNOWN


async def test_a_port_where_nobody_listens_is_unknown(client, clock):
    assert await listing(client, clock, "http://127.0.0.1:9").contains(Secret(PASSWORD)) is Breach.UNKNOWN
