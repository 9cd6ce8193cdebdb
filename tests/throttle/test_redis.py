"""The coarse limits of two processes on one real Redis, and of each alone while it is away."""

from __future__ import annotations

import time

import httpx
import pytest
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from service.kernel.secret import Secret
from service.settings import load
from service.throttle.coarse import CoarseLimits, CoarseRules
from service.throttle.lanes import LaneKeys
from service.throttle.shared_passages import AWAY_SECONDS
from tests.support.programs import is_missing
from tests.support.redis_server import PROGRAM, RedisServer, self_signed

pytestmark = pytest.mark.skipif(is_missing(PROGRAM), reason="redis-server is not installed")

RATE = 6
# A request costs a millisecond; machines are shared, and a time-out that is too long is of seconds.
QUICK_SECONDS = 8.0


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path) as redis:
        yield redis


STANDSTILLS = 3


@pytest.fixture
def undisturbed(redis, capsys):
    """Counts again on an empty Redis where a process has counted alone: ``await undisturbed(count)``.

    Then the machine stood still for longer than a process waits for Redis, which is right.
    """

    async def counted(count):
        for _ in range(STANDSTILLS):
            got_through = await count()
            if "coarse_limits_count_alone" not in capsys.readouterr().out:
                break
            redis.kill()
            redis.start()
        return got_through

    return counted


@pytest.fixture
def processes(clock):
    """Clients of so many processes that count at ``url``: ``processes(url, count)``."""

    def start(url, count=2, *, name="blue"):
        rules = CoarseRules(
            trusted_proxies=0,
            keys=LaneKeys(bytes(32)),
            name=name,
            storage_url=Secret(url),
            rates={"/v1/login": f"{RATE}/minute"},
        )
        made = [CoarseLimits(PlainTextResponse("through"), rules, clock, lambda _route: None) for _ in range(count)]
        return [httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") for app in made]

    return start


async def passed(clients, times, path="/v1/login"):
    """How many of ``times`` requests were not refused, the clients taking turns."""
    answers = [await clients[number % len(clients)].post(path, json={}) for number in range(times)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all("retry-after" in answer.headers for answer in refused)
    assert all(answer.status_code < 500 for answer in answers)
    return times - len(refused)


async def test_two_processes_share_one_count(redis, processes):
    assert await passed(processes(redis.url), RATE + 4) == RATE
    assert await passed(processes(redis.url, 1), 1) == 0, "a process that starts later counts from nothing"


async def test_the_service_counts_where_its_setting_says(redis, base, environ, open_app, undisturbed):
    settings, rate, path = load({**environ, "KEYTURN_COARSE_LIMITS_URL": redis.url}), 120, "/v1/password/forgot"

    async def by_turns():
        async with open_app(settings) as one, open_app(settings) as other:
            return await passed([one, other], rate + 1, path)

    assert await undisturbed(by_turns) == rate


async def test_two_deployments_on_one_redis_do_not_share(redis, processes, undisturbed):
    assert await undisturbed(lambda: passed(processes(redis.url, 1), RATE + 1)) == RATE
    assert await passed(processes(redis.url, 1, name="green"), 1) == 1


async def test_a_redis_that_dies_leaves_each_process_its_own_count_and_is_found_again(redis, processes, clock):
    clients = processes(redis.url)
    assert await passed(clients, 2) == 2
    redis.kill()
    started = time.monotonic()
    assert await passed(clients[:1], RATE + 5) == RATE
    assert await passed(clients[1:], RATE + 5) == RATE
    assert time.monotonic() - started < QUICK_SECONDS
    redis.start()
    clock.advance(seconds=AWAY_SECONDS)
    assert await passed(clients, RATE + 4) == RATE


async def test_a_redis_that_is_silent_holds_up_one_request_of_a_process_and_no_other(redis, processes):
    clients = processes(redis.url)
    await passed(clients, 2)
    redis.freeze()
    started = time.monotonic()
    assert await passed(clients, 2 * RATE + 40) == 2 * RATE
    assert time.monotonic() - started < QUICK_SECONDS


async def test_a_service_whose_redis_is_away_starts_and_counts_by_itself(processes, tmp_path):
    with RedisServer(tmp_path) as gone:
        pass
    assert await passed(processes(gone.url, 1), RATE + 5) == RATE


async def test_a_redis_that_wants_another_password_counts_nothing_and_tells_no_password(tmp_path, processes):
    with RedisServer(tmp_path, password="right-one") as redis:
        assert await passed(processes(redis.url), RATE + 4) == RATE
        with capture_logs() as lines:
            clients = processes(redis.url.replace("right-one", "wrong-canary"))
            assert await passed(clients, 2 * RATE + 4) == 2 * RATE
        assert [line["event"] for line in lines] == ["coarse_limits_count_alone"] * 2
        assert "canary" not in str(lines)


async def test_over_tls_a_certificate_that_is_trusted_is_taken_and_no_other(tmp_path, processes, monkeypatch):
    certificate = self_signed(tmp_path / "redis.pem")
    with RedisServer(tmp_path, certificate=certificate) as redis:
        assert redis.url.startswith("rediss://")
        strangers = processes(redis.url)
        assert await passed(strangers, 2 * RATE + 4) == 2 * RATE, "a certificate of nobody's was believed"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert await passed(processes(redis.url), RATE + 4) == RATE
