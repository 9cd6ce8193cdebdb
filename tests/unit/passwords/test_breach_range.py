from __future__ import annotations

import asyncio
import gzip
import hashlib
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service.kernel.secret import Secret
from service.passwords import breach_range
from service.passwords.breach import Breach
from service.passwords.breach_range import RangeBreachList
from tests.support.clock import ManualClock

PASSWORD = "seven bright red ducks"
DIGEST = hashlib.sha1(PASSWORD.encode()).hexdigest().upper()
PREFIX, SUFFIX = DIGEST[:5], DIGEST[5:]
OTHER = f"{'0' * 34}A:17"


class Service:
    """The outside service: answers what the test says, and remembers what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.outcomes = []
        self.clock = ManualClock()

    async def handle(self, request):
        self.requests.append(request)
        answer = self.answer
        if isinstance(answer, Exception):
            raise answer
        return (
            answer
            if isinstance(answer, httpx.Response)
            else httpx.Response(200, stream=httpx.ByteStream(answer.encode()))
        )

    async def contains(self, password=PASSWORD):
        return await self.list.contains(Secret(password))

    @property
    def list(self):
        if not hasattr(self, "_list"):
            client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
            self._list = RangeBreachList(
                client=client, clock=self.clock, count=self.outcomes.append, base_url="https://breach.test"
            )
        return self._list


def text_of_request(request):
    headers = b"".join(name + value for name, value in request.headers.raw)
    return str(request.url).encode() + headers + request.content


async def test_a_password_whose_suffix_is_listed_is_known():
    service = Service(f"{OTHER}\r\n{SUFFIX}:3")
    assert await service.contains() is Breach.LISTED
    assert service.outcomes == ["listed"]


async def test_a_password_whose_suffix_is_not_listed_is_clean():
    service = Service(f"{OTHER}\r\n")
    assert await service.contains() is Breach.CLEAN
    assert service.outcomes == ["clean"]


async def test_padding_with_a_count_of_zero_is_no_finding():
    assert await Service(f"{OTHER}\r\n{SUFFIX}:0").contains() is Breach.CLEAN


async def test_lines_may_end_without_a_carriage_return():
    assert await Service(f"{OTHER}\n{SUFFIX}:1\n").contains() is Breach.LISTED


async def test_padding_is_asked_for_and_nothing_is_compressed():
    service = Service(OTHER)
    await service.contains()
    headers = service.requests[0].headers
    assert headers["Add-Padding"] == "true"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == "keyturn"


async def test_attack_no_more_than_five_hexadecimal_digits_leave():
    service = Service(OTHER)
    await service.contains()
    (request,) = service.requests
    assert (request.method, str(request.url)) == ("GET", f"https://breach.test/range/{PREFIX}")
    sent = text_of_request(request)
    assert DIGEST[:6].encode() not in sent.upper()
    for word in PASSWORD.split():
        assert word.encode() not in sent
    assert request.content == b""


@given(st.text(min_size=1, max_size=256))
async def test_whatever_the_password_five_digits_leave(password):
    service = Service(OTHER)
    await service.contains(password)
    for request in service.requests:
        assert re.fullmatch(r"https://breach\.test/range/[0-9A-F]{5}", str(request.url))


async def test_two_spellings_of_a_password_ask_the_same():
    service = Service(OTHER)
    await service.contains("cafe\u0301 and seven ducks")
    await service.contains("caf\u00e9 and seven ducks")
    first, second = service.requests
    assert first.url == second.url


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(429, headers={"Retry-After": "2"}),
        httpx.Response(503, stream=httpx.ByteStream(OTHER.encode())),
        httpx.Response(204),
        httpx.Response(301, headers={"Location": "https://elsewhere.test/"}),
        httpx.ConnectError("no route"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut off"),
        httpx.InvalidURL("not a URL"),
        OSError("no file handle"),
        "",
        "\n",
        "<html>maintenance</html>",
        f"{OTHER}\r\n<html>",
        f"{OTHER.lower()}\r\n",
        f"{SUFFIX}",
        f"{SUFFIX}:",
        f"{SUFFIX}:-1",
        f"{SUFFIX}:\u0661",
        f"{SUFFIX[:-1]}:1",
        f"{OTHER}\r\n\r\n{OTHER}",
        f"{SUFFIX}:1" + "0" * 5000,
    ],
    ids=lambda answer: repr(answer)[:40],
)
async def test_a_broken_answer_is_unknown_logged_and_counted(answer):
    service = Service(answer)
    with capture_logs() as lines:
        assert await service.contains() is Breach.UNKNOWN
    assert service.outcomes == ["away"]
    assert len(service.requests) == 1
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("breach_service_away", "warning")
    assert PREFIX not in str(lines)


async def test_attack_a_redirect_is_not_followed_even_by_a_client_that_would():
    service = Service(httpx.Response(302, headers={"Location": "https://elsewhere.test/"}))
    eager = httpx.AsyncClient(transport=httpx.MockTransport(service.handle), follow_redirects=True)
    one = RangeBreachList(client=eager, clock=service.clock, count=service.outcomes.append)
    assert await one.contains(Secret(PASSWORD)) is Breach.UNKNOWN
    assert len(service.requests) == 1


async def test_attack_an_answer_without_end_is_dropped_at_the_bound():
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 4096
            yield b"A" * 4096

    service = Service(httpx.Response(200, content=endless()))
    assert await service.contains() is Breach.UNKNOWN
    assert sent <= breach_range._MAX_ANSWER_BYTES + 4096


async def test_attack_a_compressed_answer_is_not_unpacked():
    packed = httpx.ByteStream(gzip.compress(OTHER.encode()))
    service = Service(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=packed))
    assert await service.contains() is Breach.UNKNOWN


async def test_attack_a_drip_that_never_times_out_by_itself_is_cut_off(monkeypatch):
    monkeypatch.setattr(breach_range, "_TOTAL_SECONDS", 0.05)

    async def drip():
        while True:
            yield b"A"
            await asyncio.sleep(0.01)

    service = Service(httpx.Response(200, content=drip()))
    with capture_logs() as lines:
        async with asyncio.timeout(30):
            assert await service.contains() is Breach.UNKNOWN
    assert lines[0]["reason"] == "it took too long"


async def test_after_three_failures_in_a_row_the_service_is_left_alone_for_a_while():
    service = Service(httpx.ConnectError("no route"))
    for _ in range(5):
        assert await service.contains() is Breach.UNKNOWN
    assert service.outcomes == ["away", "away", "away", "resting", "resting"]
    assert len(service.requests) == 3
    service.clock.advance(seconds=30)
    service.answer = OTHER
    assert await service.contains() is Breach.CLEAN


async def test_failures_that_are_not_in_a_row_do_not_add_up():
    service = Service(OTHER)
    for _ in range(3):
        for answer in (httpx.ConnectError("no route"), httpx.ReadTimeout("slow"), OTHER):
            service.answer = answer
            await service.contains()
    assert "resting" not in service.outcomes


async def test_someone_who_goes_away_is_no_failure_of_the_service():
    service = Service(OTHER)

    async def hang(_request):
        await asyncio.sleep(60)

    service.handle = hang
    asking = asyncio.create_task(service.contains())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert service.outcomes == []


@pytest.mark.parametrize("password", ["\ud800 is no text at all", "x" * 257, "\0" * 20])
async def test_what_can_never_be_a_password_is_not_asked_about(password):
    service = Service(OTHER)
    assert await service.contains(password) is Breach.UNKNOWN
    assert service.requests == []
