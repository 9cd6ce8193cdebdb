"""Prometheus metrics: what an operator needs on one page, with labels from closed lists only."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram

_STORE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The counters and histograms of one process, in a registry of its own."""

    registry: CollectorRegistry
    events: Counter = field(init=False)
    store_seconds: Histogram = field(init=False)
    store_units: Counter = field(init=False)
    store_failures: Counter = field(init=False)

    def __post_init__(self) -> None:
        labels = ("operation", "table")
        made = {
            "events": Counter(
                "keyturn_security_events", "Security events", ("kind", "outcome"), registry=self.registry
            ),
            "store_seconds": Histogram(
                "keyturn_dynamodb_seconds",
                "DynamoDB calls with their retries",
                labels,
                buckets=_STORE_BUCKETS,
                registry=self.registry,
            ),
            "store_units": Counter("keyturn_dynamodb_units", "Consumed capacity units", labels, registry=self.registry),
            "store_failures": Counter(
                "keyturn_dynamodb_failures",
                "DynamoDB calls that ended in an error, refused conditions among them",
                labels,
                registry=self.registry,
            ),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def record(self, *, operation: str, table: str, seconds: float, units: float, failed: bool) -> None:
        """One DynamoDB call (the store's ``Meter``)."""
        self.store_seconds.labels(operation=operation, table=table).observe(seconds)
        self.store_units.labels(operation=operation, table=table).inc(units)
        if failed:
            self.store_failures.labels(operation=operation, table=table).inc()
