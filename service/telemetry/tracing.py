"""Traces through OpenTelemetry's API: spans of requests, DynamoDB calls and hashes, or nothing at no cost.

Off unless somebody asks for it: with ``OTEL_TRACES_EXPORTER`` and the other variables that OpenTelemetry defines
(sampler, resource, exporter's endpoint) where ``opentelemetry-sdk`` is installed, or by a provider that was set before
the service started, as ``opentelemetry-instrument`` does.

A span holds names and numbers of ours. Exceptions are named by their class: their texts may quote what was sent.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

SCOPE = "keyturn"

Attributes = dict[str, str | int | float | bool]


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """Makes spans with ``tracer``; without one, makes none. ``close`` sends what is still held back."""

    tracer: Tracer | None = None
    close: Callable[[], None] = _nothing

    @property
    def is_on(self) -> bool:
        """Whether a span would go anywhere."""
        return self.tracer is not None

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Attributes | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
    ) -> Iterator[Span]:
        """A span for what is inside; it becomes the parent of spans that are begun there. What is raised goes on."""
        if self.tracer is None:
            yield INVALID_SPAN
            return
        with self.tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                fail(span, type(error).__name__)
                raise


OFF = Tracing()


def fail(span: Span, error_type: str) -> None:
    """Mark ``span`` as failed. ``error_type`` is a class or a code, never a text."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def configure_tracing(environ: Mapping[str, str]) -> Tracing:
    """The traces that ``environ`` asks for, or those of a provider that is there already."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, trace.ProxyTracerProvider):
        return Tracing(tracer=provider.get_tracer(SCOPE))
    from service.telemetry.exporting import open_provider

    opened = open_provider(environ)
    if opened is None:
        return OFF
    return Tracing(tracer=opened.get_tracer(SCOPE), close=opened.shutdown)
