"""Prometheus metrics: what an operator needs on one page, with labels from closed lists only (docs/metrics.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_STORE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_HASH_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0)
_STORE_LABELS = ("operation", "table")
_EVENT_LABELS = ("kind", "outcome")


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The counters, gauges and histograms of one process, in a registry of its own."""

    registry: CollectorRegistry
    events: Counter = field(init=False)
    alarms: Counter = field(init=False)
    sign_ins: Counter = field(init=False)
    refreshes: Counter = field(init=False)
    reuses: Counter = field(init=False)
    throttled: Counter = field(init=False)
    coarse_refusals: Counter = field(init=False)
    mails: Counter = field(init=False)
    audit_queue: Gauge = field(init=False)
    audit_drops: Counter = field(init=False)
    hash_queue: Gauge = field(init=False)
    hash_refusals: Counter = field(init=False)
    hash_memory_bytes: Gauge = field(init=False)
    hash_wait_seconds: Histogram = field(init=False)
    hash_seconds: Histogram = field(init=False)
    breach_checks: Counter = field(init=False)
    store_seconds: Histogram = field(init=False)
    store_units: Counter = field(init=False)
    store_failures: Counter = field(init=False)
    loop_lag_seconds: Histogram = field(init=False)
    loop_stalls: Counter = field(init=False)
    loop_task_count: Gauge = field(init=False)

    def __post_init__(self) -> None:
        counter = partial(Counter, registry=self.registry)
        # Of several worker processes, those that live are added up.
        gauge = partial(Gauge, registry=self.registry, multiprocess_mode="livesum")
        store_histogram = partial(Histogram, registry=self.registry, buckets=_STORE_BUCKETS)
        lag_histogram = partial(Histogram, registry=self.registry, buckets=_LAG_BUCKETS)
        hash_histogram = partial(Histogram, registry=self.registry, buckets=_HASH_BUCKETS)
        made = {
            "events": counter("keyturn_security_events", "Security events", _EVENT_LABELS),
            "alarms": counter("keyturn_security_alarms", "Events that somebody should look at", _EVENT_LABELS),
            "sign_ins": counter("keyturn_sign_ins", "Attempts to sign in", ("outcome",)),
            "refreshes": counter("keyturn_refreshes", "Presented refresh tokens", ("outcome",)),
            "reuses": counter("keyturn_refresh_reuses", "Sessions whose token came back after its rotation"),
            "throttled": counter("keyturn_throttled", "Limits that began to refuse, once a lane and wait", ("lane",)),
            "coarse_refusals": counter("keyturn_coarse_refused", "Requests over a network's rate", ("route",)),
            "mails": counter("keyturn_mails", "Mails", _EVENT_LABELS),
            "audit_queue": gauge("keyturn_audit_waiting", "Events that wait to be written to the table"),
            "audit_drops": counter("keyturn_audit_dropped", "Events that are not in the table", ("reason",)),
            "hash_queue": gauge("keyturn_hash_waiting", "Callers that wait for a hashing slot"),
            "hash_refusals": counter("keyturn_hash_refused", "Callers that got no hash: the queue was full"),
            "hash_memory_bytes": gauge("keyturn_hash_memory_limit_bytes", "The most memory that hashing can take"),
            "hash_wait_seconds": hash_histogram("keyturn_hash_wait_seconds", "Wait for a hashing slot"),
            "hash_seconds": hash_histogram("keyturn_hash_seconds", "Hashing itself"),
            "breach_checks": counter("keyturn_breach_checks", "Questions to the breach service", ("outcome",)),
            "store_seconds": store_histogram("keyturn_dynamodb_seconds", "DynamoDB calls with retries", _STORE_LABELS),
            "store_units": counter("keyturn_dynamodb_units", "Consumed capacity units", _STORE_LABELS),
            "store_failures": counter(
                "keyturn_dynamodb_failures",
                "DynamoDB calls that ended in an error, refused conditions among them",
                _STORE_LABELS,
            ),
            "loop_lag_seconds": lag_histogram("keyturn_event_loop_lag_seconds", "How late the event loop came"),
            "loop_stalls": counter("keyturn_event_loop_stalls", "Times that it stood for 50 ms", ("cause",)),
            "loop_task_count": gauge("keyturn_event_loop_tasks", "Tasks that have not ended"),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def record(self, *, operation: str, table: str, seconds: float, units: float, failed: bool) -> None:
        """One DynamoDB call (the store's ``Meter``)."""
        self.store_seconds.labels(operation=operation, table=table).observe(seconds)
        self.store_units.labels(operation=operation, table=table).inc(units)
        if failed:
            self.store_failures.labels(operation=operation, table=table).inc()

    def coarse_refused(self, route: str) -> None:
        """One request over the rate of its network: a path with a rate of its own, or ``rest``."""
        self.coarse_refusals.labels(route=route).inc()

    def breach_checked(self, outcome: str) -> None:
        """One question to the breach service: ``listed``, ``clean``, ``away`` or ``resting``."""
        self.breach_checks.labels(outcome=outcome).inc()

    def mailed(self, *, kind: str, outcome: str) -> None:
        """One try to send a mail: ``sent``, ``put_off`` or ``given_up`` (the outbox's ``MailMeter``)."""
        self.mails.labels(kind=kind, outcome=outcome).inc()

    def audit_waits(self, change: int) -> None:
        """So many more, or fewer, events wait (the audit table's ``AuditMeter``)."""
        self.audit_queue.inc(change)

    def audit_dropped(self, reason: str) -> None:
        """One event is not in the table."""
        self.audit_drops.labels(reason=reason).inc()

    def hash_waits(self, change: int) -> None:
        """So many more, or fewer, callers wait for a hashing slot (the measured pool's ``HashMeter``)."""
        self.hash_queue.inc(change)

    def hash_refused(self) -> None:
        """One caller got no slot."""
        self.hash_refusals.inc()

    def hash_memory(self, limit_bytes: int) -> None:
        """Hashing can take so much memory and no more: every slot with the dearest hash that may be checked."""
        self.hash_memory_bytes.set(limit_bytes)

    def hashed(self, *, wait_seconds: float, work_seconds: float) -> None:
        """One hash was computed."""
        self.hash_wait_seconds.observe(wait_seconds)
        self.hash_seconds.observe(work_seconds)

    def loop_lagged(self, seconds: float) -> None:
        """The event loop came so much too late to what was due (the loop watch's ``LoopMeter``)."""
        self.loop_lag_seconds.observe(seconds)

    def loop_stalled(self, cause: str) -> None:
        """It stood for too long: ``busy``, ``blocked``, ``crowded`` or ``machine`` (docs/metrics.md)."""
        self.loop_stalls.labels(cause=cause).inc()

    def loop_tasks(self, count: int) -> None:
        """So many tasks have not ended."""
        self.loop_task_count.set(count)
