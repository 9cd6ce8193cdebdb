from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from service.web.forwarded_watch import ForwardedWatch

SPOOFED = ("X-Forwarded-For", "192.0.2.66")


@pytest.fixture
def watch(call, hello):
    """A watch, and what it says of requests with these header fields, each a list of its own."""

    def make(trusted_proxies):
        watched = ForwardedWatch(hello, trusted_proxies=trusted_proxies)

        async def said(*requests, path="/v1/login"):
            with capture_logs() as lines:
                for headers in requests:
                    answer, _ = await call(watched, headers=headers, path=path)
                    assert answer.body == b"hello"
            return [line["event"] for line in lines], lines

        return said

    return make


async def test_a_forwarded_address_that_nobody_is_trusted_with_is_said_once_without_its_value(watch):
    said = watch(0)
    assert (await said([], []))[0] == []
    events, lines = await said([SPOOFED], [SPOOFED], [SPOOFED])
    assert events == ["forwarded_for_is_ignored"]
    assert lines[0]["setting"] == "KEYTURN_TRUSTED_PROXIES"
    assert "192.0.2.66" not in str(lines)


async def test_a_count_that_requests_fall_short_of_is_said_once(watch):
    said = watch(2)
    assert (await said([("X-Forwarded-For", "192.0.2.1, 203.0.113.9")], [SPOOFED, SPOOFED]))[0] == []
    assert (await said([SPOOFED], [], []))[0] == ["forwarded_for_is_too_short"]


async def test_a_balancers_own_probes_say_nothing(watch):
    for path in ("/healthz", "/readyz"):
        assert (await watch(1)([], path=path))[0] == []


async def test_what_is_no_request_passes(call):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    await call(ForwardedWatch(app, trusted_proxies=1), kind="lifespan")
    assert seen == ["lifespan"]
