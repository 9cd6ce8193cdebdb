from __future__ import annotations

import pytest
from fastapi import FastAPI
from opentelemetry.trace import SpanKind, StatusCode
from starlette.responses import Response

from service.telemetry.tracing import OFF
from service.web.request_id import RequestIds
from service.web.request_spans import RequestSpans
from tests.unit.telemetry.conftest import make_spans

CANARY = "canary-4711"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")


@pytest.fixture
def spans():
    spans = make_spans()
    yield spans
    spans.tracing.close()


@pytest.fixture
def service():
    app = FastAPI(openapi_url=None)

    @app.get("/v1/users/{user_id}")
    async def get_user(user_id: str):
        return {}

    return app


async def test_a_span_is_named_by_the_routes_template_and_never_by_the_path(call, spans, service, entropy):
    app = RequestIds(RequestSpans(service, tracing=spans.tracing), entropy=entropy)
    await call(app, path=f"/v1/users/{CANARY}")
    assert (spans.only.name, spans.only.kind) == ("GET /v1/users/{user_id}", SpanKind.SERVER)
    assert dict(spans.only.attributes) == {
        "http.request.method": "GET",
        "http.route": "/v1/users/{user_id}",
        "http.response.status_code": 200,
        "keyturn.request_id": "01" * 16,
    }
    assert CANARY not in spans.text


async def test_leak_a_path_that_nobody_knows_is_not_in_the_span(call, spans, service):
    await call(RequestSpans(service, tracing=spans.tracing), path=f"/{CANARY}")
    assert spans.only.name == "GET"
    assert spans.only.attributes["http.response.status_code"] == 404
    assert spans.only.status.status_code is StatusCode.UNSET
    assert CANARY not in spans.text


async def test_leak_a_method_of_the_clients_own_is_not_in_the_span(call, spans, hello):
    await call(RequestSpans(hello, tracing=spans.tracing), method="CANARY")
    assert spans.only.name == spans.only.attributes["http.request.method"] == "_OTHER"
    assert "CANARY" not in spans.text


async def test_an_answer_of_500_is_an_error(call, spans):
    await call(RequestSpans(Response(status_code=503), tracing=spans.tracing))
    assert spans.only.status.status_code is StatusCode.ERROR


async def test_an_exception_goes_on_and_leaves_its_class(call, spans):
    async def app(scope, receive, send):
        raise ZeroDivisionError(CANARY)

    with pytest.raises(ZeroDivisionError):
        await call(RequestSpans(app, tracing=spans.tracing))
    assert spans.only.attributes["error.type"] == "ZeroDivisionError"
    assert CANARY not in spans.text


async def test_trace_forgery_a_strangers_trace_is_not_continued(call, spans, hello):
    await call(RequestSpans(hello, tracing=spans.tracing), headers=[TRACEPARENT])
    assert spans.only.parent is None
    assert TRACE not in spans.text


async def test_a_trusted_callers_trace_is_continued(call, spans, hello):
    await call(RequestSpans(hello, tracing=spans.tracing, trust_client=True), headers=[TRACEPARENT])
    assert f"{spans.only.context.trace_id:032x}" == TRACE


async def test_trace_forgery_a_broken_trace_header_is_a_new_trace(call, spans, hello):
    await call(RequestSpans(hello, tracing=spans.tracing, trust_client=True), headers=[("traceparent", "00-\xff")])
    assert spans.only.parent is None


@pytest.mark.parametrize("kind", ["http", "lifespan"])
async def test_while_tracing_is_off_nothing_is_put_between(call, kind):
    seen = []

    async def app(scope, receive, send):
        seen.append(send.__qualname__)

    await call(RequestSpans(app, tracing=OFF), kind=kind)
    assert seen == ["_call.<locals>.send"]
