from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from service.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
FROM_A_WORKER = """
import os, sys
from prometheus_client import CollectorRegistry
from service.telemetry.metrics import Metrics
metrics = Metrics(registry=CollectorRegistry())
metrics.audit_waits(3)
metrics.hash_waits(2)
metrics.audit_dropped("full")
"""


@pytest.fixture
def metrics():
    return Metrics(registry=CollectorRegistry())


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_a_dynamodb_call_counts_its_time_its_units_and_its_failure(metrics):
    of = {"operation": "put_item", "table": "audit"}
    metrics.record(**of, seconds=0.004, units=1.0, failed=False)
    metrics.record(**of, seconds=0.5, units=0.0, failed=True)
    assert value(metrics, "keyturn_dynamodb_units_total", **of) == 1
    assert value(metrics, "keyturn_dynamodb_seconds_count", **of) == 2
    assert value(metrics, "keyturn_dynamodb_seconds_bucket", **of, le="0.005") == 1
    assert value(metrics, "keyturn_dynamodb_failures_total", **of) == 1


def test_a_mail_counts_by_what_became_of_it(metrics):
    metrics.mailed(kind="confirm_email", outcome="sent")
    assert value(metrics, "keyturn_mails_total", kind="confirm_email", outcome="sent") == 1


def test_the_audit_queue_goes_up_and_down(metrics):
    metrics.audit_waits(3)
    metrics.audit_waits(-1)
    metrics.audit_dropped("full")
    assert value(metrics, "keyturn_audit_waiting") == 2
    assert value(metrics, "keyturn_audit_dropped_total", reason="full") == 1


def test_a_hash_counts_its_wait_apart_from_its_work(metrics):
    metrics.hash_waits(1)
    metrics.hash_waits(-1)
    metrics.hashed(wait_seconds=0.25, work_seconds=0.03)
    metrics.hash_refused()
    assert value(metrics, "keyturn_hash_waiting") == 0
    assert value(metrics, "keyturn_hash_wait_seconds_sum") == 0.25
    assert value(metrics, "keyturn_hash_seconds_sum") == 0.03
    assert value(metrics, "keyturn_hash_refused_total") == 1


def test_gauges_of_several_workers_are_added_up(tmp_path):
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    show = (
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "from prometheus_client.multiprocess import MultiProcessCollector\n"
        "registry = CollectorRegistry()\n"
        "MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", FROM_A_WORKER], env=environ, check=True, timeout=60)
    run = subprocess.run(
        [sys.executable, "-c", show], env=environ, check=True, timeout=60, capture_output=True, text=True
    )
    assert "keyturn_audit_waiting 6.0" in run.stdout
    assert "keyturn_hash_waiting 4.0" in run.stdout
    assert 'keyturn_audit_dropped_total{reason="full"} 2.0' in run.stdout


def test_each_metric_is_on_the_page_and_no_other(metrics):
    names = {family.name + ("_total" if family.type == "counter" else "") for family in metrics.registry.collect()}
    assert set(re.findall(r"^\| `(keyturn_[a-z_]+)", PAGE.read_text(), re.MULTILINE)) == names
