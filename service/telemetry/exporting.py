"""The OpenTelemetry SDK, where it is installed and its variables ask for traces; the one door to it."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPORTERS = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"
_ENTRY_POINTS = "opentelemetry_traces_exporter"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""What ``otlp`` stands for, by the protocol; the package of each installs an exporter under the longer name."""

_log = structlog.get_logger("keyturn.tracing")


def open_provider(environ: Mapping[str, str]) -> Any | None:
    """A provider of the SDK with the exporters named in ``OTEL_TRACES_EXPORTER`` (``otlp``, ``console``, …), or None.

    The SDK reads its other variables itself. What is asked for and cannot be had is a warning: a service that cannot
    trace still signs people in.
    """
    names = _asked_for(environ)
    if not names:
        return None
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("tracing_off", reason="opentelemetry-sdk is not installed")
        return None
    exporters = [exporter for name in names if (exporter := _exporter(_full(name, environ))) is not None]
    if not exporters:
        return None
    resource = Resource.create({} if _is_named(environ) else {"service.name": "keyturn"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _asked_for(environ: Mapping[str, str]) -> list[str]:
    if environ.get(DISABLED, "").strip().lower() == "true":
        return []
    names = [name.strip() for name in environ.get(EXPORTERS, "").split(",")]
    return [name for name in names if name not in {"", "none"}]


def _is_named(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("OTEL_SERVICE_NAME")) or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")


def _full(name: str, environ: Mapping[str, str]) -> str:
    if name != "otlp":
        return name
    protocol = next((value for one in _PROTOCOLS if (value := environ.get(one, "").strip())), "http/protobuf")
    return _OTLP.get(protocol, f"otlp ({protocol})")


def _exporter(name: str) -> Any | None:
    for entry in entry_points(group=_ENTRY_POINTS, name=name):
        return entry.load()()
    _log.warning(
        "tracing_exporter_missing", exporter=name, cure="install the exporter's package, such as keyturn[otel]"
    )
    return None
