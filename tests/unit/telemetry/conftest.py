"""Spans that stay in memory, and all that they say as one text."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.telemetry.tracing import Tracing


@dataclass(frozen=True)
class Spans:
    tracing: Tracing
    exporter: InMemorySpanExporter

    @property
    def all(self):
        return self.exporter.get_finished_spans()

    @property
    def only(self):
        (span,) = self.all
        return span

    @property
    def text(self):
        return json.dumps([json.loads(span.to_json()) for span in self.all])


def make_spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(Tracing(tracer=provider.get_tracer("keyturn"), close=provider.shutdown), exporter)


@pytest.fixture
def spans():
    spans = make_spans()
    yield spans
    spans.tracing.close()
