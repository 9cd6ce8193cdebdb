from __future__ import annotations

import pytest
import structlog
from starlette.responses import Response

from service.web.request_id import RequestIds


async def test_each_request_has_its_own_id_in_state_log_and_answer(call, entropy):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["state"]["request_id"], structlog.contextvars.get_contextvars()["request_id"]))
        await Response(headers={"X-Request-Id": "forged"})(scope, receive, send)

    ids = RequestIds(app, entropy=entropy)
    for expected in ("01" * 16, "02" * 16):
        answer, _ = await call(ids)
        assert answer.headers.getlist("x-request-id") == [expected]
        assert seen.pop() == (expected, expected)
    assert "request_id" not in structlog.contextvars.get_contextvars()


async def test_log_injection_the_clients_id_is_ignored(call, hello, entropy):
    answer, _ = await call(RequestIds(hello, entropy=entropy), headers=[("X-Request-Id", "client-id-1")])
    assert answer.headers["x-request-id"] == "01" * 16


@pytest.mark.parametrize("claimed", [["client-id-1"]])
async def test_a_trusted_proxys_id_is_kept(claimed, call, hello, entropy):
    ids = RequestIds(hello, entropy=entropy, trust_client=True)
    answer, _ = await call(ids, headers=[("X-Request-Id", c) for c in claimed])
    assert answer.headers["x-request-id"] == claimed[0]


@pytest.mark.parametrize("claimed", [[], ["short"], ["a" * 65], ["a b c d e f"], ["abcdefgh\n"], ["abcdefgh"] * 2])
async def test_a_proxys_id_that_is_not_a_short_name_is_replaced(claimed, call, hello, entropy):
    ids = RequestIds(hello, entropy=entropy, trust_client=True)
    answer, _ = await call(ids, headers=[("X-Request-Id", c) for c in claimed])
    assert answer.headers["x-request-id"] == "01" * 16
