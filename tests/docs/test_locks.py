"""The locks that images are built from: the one for traces is the other and what traces need."""

from __future__ import annotations

import re

from tests.docs.markdown import ROOT

_PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)
OF_TRACES = {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}


def pins(name):
    return dict(_PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text("utf-8")))


def test_an_image_that_sends_traces_differs_by_what_sends_them():
    plain, traced, developers = pins("service"), pins("service-otel"), pins("dev")
    assert len(plain) > 30
    assert traced.items() >= plain.items()
    assert traced.keys() - plain.keys() >= OF_TRACES
    assert OF_TRACES.isdisjoint(plain), "the usual image carries nothing that it does not need"
    # What is tried here is what an image gets.
    ours = {name: version for name, version in traced.items() if name.startswith("opentelemetry")}
    assert developers.items() >= ours.items()


def test_the_image_is_built_from_either_lock():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "ARG REQUIREMENTS=service\n" in text
    assert "-r requirements/${REQUIREMENTS}.txt" in text
    assert "--build-arg REQUIREMENTS=service-otel" in (ROOT / "docs/metrics.md").read_text("utf-8")
