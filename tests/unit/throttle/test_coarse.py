from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from limits.errors import ConfigurationError
from limits.storage import MemoryStorage
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from service.kernel.clock import SystemClock
from service.kernel.secret import Secret
from service.throttle.coarse import DEFAULT_RATES, IN_PROCESS, CoarseLimits, CoarseRules
from service.throttle.lanes import LaneKeys
from service.throttle.shared_passages import AT_ONCE, AWAY_SECONDS

RATES = {"/v1/login": "3/minute", "/v1/refresh": "5/minute"}


class AwayStorage(MemoryStorage):
    """A shared storage that cannot be reached."""

    STORAGE_SCHEME = ("away",)
    base_exceptions = ConnectionError
    is_away, asked, keys = True, 0, set()

    def incr(self, key, expiry, amount=1):
        AwayStorage.asked += 1
        AwayStorage.keys.add(key)
        if AwayStorage.is_away:
            raise ConnectionError("away")
        return super().incr(key, expiry, amount)


class Gate:
    """Where callers of a slow storage wait, each in its thread."""

    def __init__(self):
        self.entered, self.opened, self.gone = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)
        self.waiting = 0
        self._count = threading.Lock()

    def go_through(self):
        with self._count:
            self.waiting += 1
        self.entered.release()
        self.opened.wait(30)
        self.gone.release()


class SlowStorage(MemoryStorage):
    """A shared storage that takes its time, and blocks while it does."""

    STORAGE_SCHEME = ("slow",)
    gate = None

    def incr(self, key, expiry, amount=1):
        SlowStorage.gate.go_through()
        return super().incr(key, expiry, amount)


@pytest.fixture
def gate():
    SlowStorage.gate = Gate()
    yield SlowStorage.gate
    SlowStorage.gate.opened.set()


class OptionsStorage(MemoryStorage):
    """Remembers how it was opened."""

    STORAGE_SCHEME = ("options",)
    seen = None

    def __init__(self, uri=None, **options):
        OptionsStorage.seen = options
        super().__init__(uri)


async def answer(request):
    return PlainTextResponse("through")


def _nobody_counts(_route):
    return None


def limits(*, clock=None, refused=None, **rules):
    """The middleware alone."""
    given = {"trusted_proxies": 0, "keys": LaneKeys(bytes(32)), "rates": RATES, **rules}
    return CoarseLimits(answer, CoarseRules(**given), clock or SystemClock(), refused or _nobody_counts)


def app(**rules):
    service = limits(**rules)
    service.app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    return service


def client(app, peer="192.0.2.1"):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(peer, 1)), base_url="http://test")


async def statuses(client, path, times, **request):
    return [(await client.post(path, **request)).status_code for _ in range(times)]


async def test_a_route_passes_its_rate_and_then_answers_429_with_retry_after():
    async with client(app()) as caller:
        assert await statuses(caller, "/v1/login", 3) == [200] * 3
        refused = await caller.post("/v1/login")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"


async def test_each_route_has_its_own_count():
    async with client(app()) as caller:
        await statuses(caller, "/v1/login", 4)
        assert await statuses(caller, "/v1/refresh", 6) == [200] * 5 + [429]


async def test_each_network_has_its_own_count():
    service = app()
    async with client(service) as caller, client(service, "192.0.2.2") as other:
        await statuses(caller, "/v1/login", 4)
        assert await statuses(other, "/v1/login", 1) == [200]


async def test_addresses_of_one_ipv6_network_are_one_client():
    service = app()
    async with client(service, "2001:db8::1") as caller, client(service, "2001:db8::2") as other:
        await statuses(caller, "/v1/login", 3)
        assert await statuses(other, "/v1/login", 1) == [429]


async def test_a_forged_forwarded_for_changes_nothing():
    async with client(app()) as caller:
        passed = [
            (await caller.post("/v1/login", headers={"X-Forwarded-For": f"10.0.0.{n}"})).status_code for n in range(4)
        ]
    assert passed == [200, 200, 200, 429]


async def test_behind_a_trusted_proxy_its_word_is_taken():
    async with client(app(trusted_proxies=1)) as caller:
        passed = [
            (await caller.post("/v1/login", headers={"X-Forwarded-For": f"10.0.0.{n}"})).status_code for n in range(6)
        ]
    assert passed == [200] * 6


async def test_invented_paths_share_one_count():
    async with client(app(rest="4/minute")) as caller:
        assert [(await caller.get(f"/{n}")).status_code for n in range(5)] == [200] * 4 + [429]


async def test_probes_are_never_refused():
    async with client(app(rest="1/minute")) as caller:
        assert await statuses(caller, "/healthz", 5) == [200] * 5


@pytest.fixture
def away_storage():
    AwayStorage.is_away, AwayStorage.asked, AwayStorage.keys = True, 0, set()
    return AwayStorage


async def test_a_shared_storage_that_is_away_leaves_a_count_in_this_process(away_storage):
    async with client(app(storage_url=Secret("away://"))) as caller:
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]


async def test_many_that_find_it_away_at_the_same_moment_are_all_answered_and_counted(away_storage):
    async with client(app(storage_url=Secret("away://"))) as caller:
        answers = await asyncio.gather(*(caller.post("/v1/login") for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 37


async def test_while_it_is_away_it_is_asked_by_one_request_each_five_seconds(away_storage, clock):
    async with client(app(storage_url=Secret("away://"), clock=clock)) as caller:
        await statuses(caller, "/v1/login", 4)
        assert away_storage.asked == 1
        clock.advance(seconds=AWAY_SECONDS)
        await asyncio.gather(*(caller.post("/v1/login") for _ in range(20)))
        assert away_storage.asked == 2


async def test_when_it_is_back_the_count_is_shared_again_and_both_are_said_once(away_storage, clock):
    with capture_logs() as lines:
        async with client(app(storage_url=Secret("away://u:canary@h"), clock=clock)) as caller:
            await statuses(caller, "/v1/login", 4)
            away_storage.is_away = False
            clock.advance(seconds=AWAY_SECONDS)
            assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]
    assert [line["event"] for line in lines] == ["coarse_limits_count_alone", "coarse_limits_are_shared_again"]
    assert "canary" not in str(lines)


async def test_a_shared_storage_that_is_slow_does_not_hold_up_the_loop(gate):
    async with client(app(storage_url=Secret("slow://"))) as caller:
        request = asyncio.create_task(caller.post("/v1/login"))
        assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
        assert (await caller.get("/healthz")).status_code == 200
        assert not request.done()
        gate.opened.set()
        assert (await request).status_code == 200


async def test_one_that_answers_nothing_at_all_is_given_up_and_counted_here(gate):
    async with client(app(storage_url=Secret("slow://"))) as caller:
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]
        assert gate.waiting == 1


async def test_more_than_sixteen_do_not_wait_for_a_slow_one_at_once(gate):
    async with client(app(storage_url=Secret("slow://"))) as caller:
        requests = [asyncio.create_task(caller.post("/v1/refresh")) for _ in range(AT_ONCE)]
        for _ in range(AT_ONCE):
            assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]
        assert not any(request.done() for request in requests)
        gate.opened.set()
        await asyncio.gather(*requests)
        assert gate.waiting == AT_ONCE


async def test_a_turn_comes_back_when_a_slow_answer_comes_at_last(gate, clock):
    async with client(app(storage_url=Secret("slow://"), clock=clock, patience_seconds=0.1)) as caller:
        for number in range(AT_ONCE + 4):
            gate.opened.clear()
            await caller.post("/v1/login")
            gate.opened.set()
            assert await asyncio.to_thread(gate.gone.acquire, timeout=30)
            clock.advance(seconds=AWAY_SECONDS)
            assert gate.waiting == number + 1


async def test_a_shared_storage_is_asked_with_short_time_outs():
    limits(storage_url=Secret("options://"))
    assert OptionsStorage.seen == {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "wrap_exceptions": True}


async def test_no_address_of_a_client_is_told_to_a_shared_storage(away_storage):
    away_storage.is_away = False
    service = app(storage_url=Secret("away://"), name="blue")
    async with client(service, "192.0.2.231") as caller:
        await caller.post("/v1/login")
    (key,) = away_storage.keys
    assert "keyturn/blue" in key
    assert "192.0.2" not in key


async def test_slowapis_own_switches_in_the_environment_open_nothing(monkeypatch, away_storage):
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    monkeypatch.setenv("RATELIMIT_SWALLOW_ERRORS", "true")
    for storage_url in (IN_PROCESS, "away://"):
        async with client(app(storage_url=Secret(storage_url))) as caller:
            assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]


async def test_a_window_ends_after_its_minute_and_the_next_is_whole(clock):
    async with client(app(clock=clock)) as caller:
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]
        clock.advance(seconds=59)
        assert await statuses(caller, "/v1/login", 1) == [429]
        clock.advance(seconds=1)
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]


async def test_where_no_thread_can_be_had_requests_are_counted_here_until_one_can(away_storage, clock, monkeypatch):
    """A container may bound its threads. Each request that found none was answered with an error once."""
    away_storage.is_away = False
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("coarse-limits"):
            raise RuntimeError("can't start new thread")
        start(thread)

    async with client(app(storage_url=Secret("away://"), clock=clock)) as caller:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]
            for _ in range(AT_ONCE):
                clock.advance(seconds=AWAY_SECONDS)
                await statuses(caller, "/other", 1)
        clock.advance(seconds=AWAY_SECONDS)
        asked = away_storage.asked
        assert await statuses(caller, "/other", 1) == [200]
        assert away_storage.asked > asked, "it is not asked again"


async def test_the_end_of_the_application_ends_the_threads(away_storage):
    away_storage.is_away = False
    middleware = limits(storage_url=Secret("away://"))
    passed = []

    async def inner(scope, receive, send):
        passed.append(scope["type"])

    middleware.app = inner
    await middleware({"type": "lifespan"}, None, None)
    await middleware({"type": "http", "path": "/", "method": "GET", "headers": [], "client": None}, None, _ignore)
    assert (passed, away_storage.asked) == (["lifespan", "http"], 0)


async def test_a_state_that_requests_share_opens_nothing():
    passed = []
    middleware = limits()

    async def inner(scope, receive, send):
        passed.append(scope["path"])

    middleware.app = inner
    state = {}
    for _ in range(5):
        scope = {"type": "http", "path": "/v1/login", "method": "POST", "headers": [], "client": None, "state": state}
        await middleware(scope, None, _ignore)
    assert len(passed) == 3


async def _ignore(message):
    pass


async def test_what_is_not_http_passes():
    passed = []

    async def inner(scope, receive, send):
        passed.append(scope["type"])

    middleware = limits()
    middleware.app = inner
    await middleware({"type": "lifespan"}, None, None)
    assert passed == ["lifespan"]


def test_a_storage_that_nobody_knows_stops_the_start():
    with pytest.raises(ConfigurationError):
        limits(storage_url=Secret("nowhere://x"))


def test_every_door_for_a_secret_has_a_rate():
    assert {"/v1/login", "/v1/refresh", "/v1/password/reset", "/v1/email/verify"} <= DEFAULT_RATES.keys()
