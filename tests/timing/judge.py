"""What tells the known from the unknown, by name; nothing is what every door must say."""

from __future__ import annotations

from tests.timing.statistic import compare

WORK_SHARE = 0.15
"""How far the work may differ: the beat hides it, and a hash, a call or a mail more is far beyond."""


def told_apart_by(known, unknown):
    """The names of all that differs between the samples of the one kind and of the other."""
    found = []
    if len({sample.seen for sample in [*known, *unknown]}) != 1:
        found.append("status, headers or bytes")
    if len({tuple(sorted(sample.calls_before)) for sample in [*known, *unknown]}) != 1:
        found.append("calls before the answer")
    if _compared("work_cpu_ms", known, unknown).is_leak(share=WORK_SHARE):
        found.append("work before the beat")
    if _compared("answer_ms", known, unknown).is_leak():
        found.append("time of the answer")
    if _compared("after_ms", known, unknown).is_leak():
        found.append("time after the beat")
    return found


def _compared(name, known, unknown):
    return compare([getattr(sample, name) for sample in known], [getattr(sample, name) for sample in unknown])
