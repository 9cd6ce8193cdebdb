"""Traces over the wire: a service that runs sends them to a collector, and is not held up by one that is away."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.live import client_of
from tests.support.people import PASSWORD

NAME = "ada.of.the.traces@example.com"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, as a collector does on port 4318."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def resources(self):
        return [resource for _, request in self.taken for resource in request.resource_spans]

    def spans(self):
        return [span for one in self.resources() for scope in one.scope_spans for span in scope.spans]


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture
def collector():
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def traced(workers, collector):
    """Starts a worker with what docs/metrics.md says; ``traced(endpoint)`` for another collector."""

    def start(endpoint=None):
        return workers.start(OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint or collector.url)

    return start


async def sign_in(client):
    """Refused, which does all that a sign-in does but for the session."""
    answer = await client.post("/v1/login", json={"identifier": NAME, "password": PASSWORD})
    assert answer.status_code == 401
    return answer


async def test_a_service_that_is_told_of_a_collector_sends_it_the_spans_of_a_sign_in(traced, collector, workers):
    worker = await traced()
    async with client_of(worker) as client:
        answer = await sign_in(client)
    # What was held back is sent when the service ends.
    worker.stop()
    assert {path for path, _ in collector.taken} == {"/v1/traces"}
    names = {pair.key: pair.value.string_value for one in collector.resources() for pair in one.resource.attributes}
    assert names["service.name"] == "keyturn"
    (request,) = [span for span in collector.spans() if span.name == "POST /v1/login"]
    attributes = {pair.key: pair.value for pair in request.attributes}
    assert attributes["keyturn.request_id"].string_value == answer.headers["x-request-id"]
    inside = {span.name for span in collector.spans() if span.trace_id == request.trace_id}
    assert {"hash password", "DynamoDB BatchGetItem", "DynamoDB Query"} <= inside
    everything = b"".join(request.SerializeToString() for _, request in collector.taken)
    for secret in (NAME, PASSWORD):
        assert secret.encode() not in everything


async def test_without_the_variables_nothing_is_sent(workers, collector):
    worker = await workers.start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    async with client_of(worker) as client:
        await sign_in(client)
    worker.stop()
    assert collector.taken == []


async def test_a_collector_that_is_away_costs_spans_and_no_request(traced, workers):
    worker = await traced("http://127.0.0.1:9")
    async with client_of(worker) as client:
        for _ in range(3):
            await sign_in(client)
        assert (await client.get("/readyz")).status_code == 200
    worker.kill()
