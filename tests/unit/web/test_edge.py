from __future__ import annotations

import pytest

from service.kernel.entropy import SystemEntropy
from service.web.body_limit import BodyLimit
from service.web.cors import Cors
from service.web.edge import edge_middleware
from service.web.forwarded_watch import ForwardedWatch
from service.web.request_facts import RequestContext
from service.web.request_head import RequestHead
from service.web.request_id import RequestIds
from service.web.request_spans import RequestSpans
from service.web.security_headers import SecurityHeaders
from service.web.unhandled import UnhandledErrors

MIDDLEWARE = [
    lambda app: RequestIds(app, entropy=SystemEntropy()),
    lambda app: SecurityHeaders(app, https=True),
    UnhandledErrors,
    BodyLimit,
    RequestHead,
    Cors,
    lambda app: ForwardedWatch(app, trusted_proxies=0),
]


@pytest.mark.parametrize("build", MIDDLEWARE)
async def test_the_lifespan_passes_through_untouched(build, call):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["type"], await receive()))

    await call(build(app), kind="lifespan")
    assert [kind for kind, _ in seen] == ["lifespan"]


def test_the_order_of_the_edge(entropy):
    stack = edge_middleware(entropy=entropy, base_url="https://auth.example.com")
    assert [m.cls for m in stack] == [
        RequestIds,
        RequestSpans,
        ForwardedWatch,
        RequestContext,
        SecurityHeaders,
        Cors,
        RequestHead,
        UnhandledErrors,
        BodyLimit,
    ]
    assert stack[4].kwargs["https"] is True
    plain = edge_middleware(entropy=entropy, base_url="http://localhost:8000")
    assert plain[4].kwargs["https"] is False
