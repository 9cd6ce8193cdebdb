from __future__ import annotations

import pytest

from service.telemetry.redaction import MASK
from service.telemetry.request_facts import NO_REQUEST, current_facts
from service.web.request_facts import USER_AGENT_CHARACTERS, RequestContext
from service.web.request_id import RequestIds


@pytest.fixture
def facts_of(call, entropy):
    """What an event would know of a request with these headers."""

    async def facts_of(*headers, trusted_proxies=0, peer="203.0.113.77", inside=lambda app: app):
        seen = []

        async def app(scope, receive, send):
            seen.append(current_facts())

        async def with_client(scope, receive, send):
            scope["client"] = None if peer is None else (peer, 1234)
            await inside(RequestContext(app, trusted_proxies=trusted_proxies))(scope, receive, send)

        await call(with_client, headers=headers)
        return seen[0]

    return facts_of


async def test_an_event_knows_request_address_and_user_agent(facts_of, entropy):
    facts = await facts_of(("User-Agent", "Browser/1.0"), inside=lambda app: RequestIds(app, entropy=entropy))
    assert (facts.request_id, facts.address, facts.user_agent) == ("01" * 16, "203.0.113.0/24", "Browser/1.0")
    assert current_facts() is NO_REQUEST


async def test_what_is_not_there_is_not_made_up(facts_of):
    facts = await facts_of(peer=None)
    assert (facts.request_id, facts.address, facts.user_agent) == (None, "0.0.0.0/24", None)


async def test_spoofing_the_clients_own_address_header_is_ignored(facts_of):
    assert (await facts_of(("X-Forwarded-For", "192.0.2.1"))).address == "203.0.113.0/24"


async def test_behind_a_trusted_proxy_the_address_is_the_one_it_saw(facts_of):
    facts = await facts_of(("X-Forwarded-For", "198.51.100.9, 192.0.2.1"), trusted_proxies=1)
    assert facts.address == "192.0.2.0/24"


async def test_log_injection_a_user_agent_is_printable_and_short(facts_of):
    facts = await facts_of(("User-Agent", "a\x00\x1b[31m\x85b" + "x" * 5000))
    assert facts.user_agent.startswith("a[31mb")
    assert len(facts.user_agent) == USER_AGENT_CHARACTERS


@pytest.mark.parametrize("padding", [0, 100])
async def test_leak_a_token_in_the_user_agent_is_masked(facts_of, padding):
    facts = await facts_of(("User-Agent", "x" * padding + " ktr_" + "a" * 60))
    assert "ktr_" not in facts.user_agent
    assert "aaa" not in facts.user_agent
    assert padding == 100 or MASK in facts.user_agent


async def test_what_is_no_request_passes(call):
    seen = []

    async def app(scope, receive, send):
        seen.append(current_facts())

    await call(RequestContext(app, trusted_proxies=0), kind="lifespan")
    assert seen == [NO_REQUEST]
