from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from limits.errors import ConfigurationError
from limits.storage import MemoryStorage
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.throttle.coarse import DEFAULT_RATES, CoarseLimits, CoarseRules

RATES = {"/v1/login": "3/minute", "/v1/refresh": "5/minute"}


class AwayStorage(MemoryStorage):
    """A shared storage that cannot be reached."""

    STORAGE_SCHEME = ("away",)

    def incr(self, key, expiry, amount=1):
        raise ConnectionError("away")

    def check(self):
        return False


class SlowStorage(MemoryStorage):
    """A shared storage that takes its time, and blocks while it does."""

    STORAGE_SCHEME = ("slow",)

    def incr(self, key, expiry, amount=1):
        time.sleep(0.2)
        return super().incr(key, expiry, amount)


class OptionsStorage(MemoryStorage):
    """Remembers how it was opened."""

    STORAGE_SCHEME = ("options",)
    seen = None

    def __init__(self, uri=None, **options):
        OptionsStorage.seen = options
        super().__init__(uri)


async def answer(request):
    return PlainTextResponse("through")


def app(**rules):
    return Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET", "POST"])],
        middleware=[Middleware(CoarseLimits, rules=CoarseRules(**{"trusted_proxies": 0, "rates": RATES, **rules}))],
    )


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


async def test_a_shared_storage_that_is_away_leaves_a_count_in_this_process():
    async with client(app(storage_url="away://")) as caller:
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]


async def test_a_shared_storage_that_is_slow_does_not_hold_up_the_loop():
    async with client(app(storage_url="slow://")) as caller:
        started = time.monotonic()
        request = asyncio.create_task(caller.post("/v1/login"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert time.monotonic() - started < 0.15
        assert (await request).status_code == 200


async def test_a_shared_storage_is_asked_with_short_time_outs():
    CoarseLimits(answer, CoarseRules(trusted_proxies=0, storage_url="options://"))
    assert OptionsStorage.seen == {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}


async def test_slowapis_own_switch_in_the_environment_opens_nothing(monkeypatch):
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    async with client(app()) as caller:
        assert await statuses(caller, "/v1/login", 4) == [200, 200, 200, 429]


async def test_a_state_that_requests_share_opens_nothing():
    passed = []
    middleware = CoarseLimits(answer, CoarseRules(trusted_proxies=0, rates=RATES))

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

    await CoarseLimits(inner, CoarseRules(trusted_proxies=0))({"type": "lifespan"}, None, None)
    assert passed == ["lifespan"]


def test_a_storage_that_nobody_knows_stops_the_start():
    with pytest.raises(ConfigurationError):
        CoarseLimits(answer, CoarseRules(trusted_proxies=0, storage_url="nowhere://x"))


def test_every_door_for_a_secret_has_a_rate():
    assert {"/v1/login", "/v1/refresh", "/v1/password/reset", "/v1/email/verify"} <= DEFAULT_RATES.keys()
