from __future__ import annotations

import subprocess
import sys

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, StatusCode

from service.telemetry.exporting import open_provider
from service.telemetry.tracing import OFF, configure_tracing

CANARY = "canary-4711"
TRACED = """
import os
from service.telemetry.tracing import configure_tracing
tracing = configure_tracing(os.environ)
assert tracing.is_on
with tracing.span("to the console"):
    pass
tracing.close()
"""


def test_without_a_tracer_there_are_no_spans():
    with OFF.span("nothing", {"a": 1}) as span:
        assert span is INVALID_SPAN
    OFF.close()
    assert not OFF.is_on


def test_off_means_that_errors_go_on_all_the_same():
    with pytest.raises(ZeroDivisionError), OFF.span("nothing"):
        raise ZeroDivisionError


def test_spans_that_begin_inside_are_children(spans):
    with spans.tracing.span("outer", {"n": 1}), spans.tracing.span("inner"):
        pass
    inner, outer = spans.all
    assert inner.parent.span_id == outer.context.span_id
    assert dict(outer.attributes) == {"n": 1}


def test_leak_an_error_is_named_by_its_class_and_its_text_stays_here(spans):
    with pytest.raises(ValueError, match=CANARY), spans.tracing.span("work"):
        raise ValueError(CANARY)
    assert spans.only.attributes["error.type"] == "ValueError"
    assert spans.only.status.status_code is StatusCode.ERROR
    assert spans.only.events == ()
    assert CANARY not in spans.text


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": ""},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "TRUE"},
    ],
)
def test_nothing_is_traced_unless_it_was_asked_for(environ):
    assert configure_tracing(environ) is OFF


@pytest.mark.parametrize(
    ("variables", "service"),
    [
        ({}, "keyturn"),
        ({"OTEL_SERVICE_NAME": "sign-in"}, "sign-in"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=sign-in"}, "sign-in"),
    ],
)
def test_an_exporter_that_is_named_gets_the_spans(variables, service):
    # In a process of its own: the exporter keeps the standard output that was there when it was imported.
    environ = {"OTEL_TRACES_EXPORTER": "console, none", **variables}
    printed = subprocess.check_output([sys.executable, "-c", TRACED], env=environ, timeout=60, text=True)
    assert '"name": "to the console"' in printed
    assert f'"service.name": "{service}"' in printed


def test_an_exporter_that_is_not_installed_is_a_warning_and_no_reason_to_stop():
    with structlog.testing.capture_logs() as lines:
        assert configure_tracing({"OTEL_TRACES_EXPORTER": "carrier-pigeon"}) is OFF
    assert [(line["event"], line["exporter"]) for line in lines] == [("tracing_exporter_missing", "carrier-pigeon")]


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
@pytest.mark.parametrize(("protocol", "exporter"), [("grpc", "otlp_proto_grpc"), ("http/json", "otlp (http/json)")])
def test_otlp_of_a_protocol_that_is_not_installed_is_the_same_warning(variable, protocol, exporter):
    with structlog.testing.capture_logs() as lines:
        assert configure_tracing({"OTEL_TRACES_EXPORTER": "otlp", variable: protocol}) is OFF
    assert [(line["event"], line["exporter"]) for line in lines] == [("tracing_exporter_missing", exporter)]


def test_without_the_sdk_it_is_a_warning_and_no_reason_to_stop(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with structlog.testing.capture_logs() as lines:
        assert open_provider({"OTEL_TRACES_EXPORTER": "console"}) is None
    assert [line["event"] for line in lines] == ["tracing_off"]


def test_a_provider_that_is_there_already_is_used(spans, monkeypatch):
    class Provider(trace.NoOpTracerProvider):
        def get_tracer(self, *_, **__):
            return spans.tracing.tracer

    monkeypatch.setattr(trace, "get_tracer_provider", Provider)
    assert configure_tracing({}).tracer is spans.tracing.tracer
