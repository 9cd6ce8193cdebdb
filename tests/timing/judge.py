"""What tells the known from the unknown, by name; nothing is what every door must say."""

from __future__ import annotations

from tests.timing.statistic import compare

WORK_SHARE = 0.15
"""How far the work may differ: the beat hides it, and a hash, a call or a mail more is far beyond."""


def told_apart_by(pairs):
    """The names of all that differs between the samples of the one kind and of the other."""
    samples, found = [sample for pair in pairs for sample in pair], []
    if len({sample.seen for sample in samples}) != 1:
        found.append("status, headers or bytes")
    # The two of a pair have the same past: how often the name was asked for, and when.
    if any(sorted(known.calls_before) != sorted(unknown.calls_before) for known, unknown in pairs):
        found.append("calls before the answer")
    if _compared("work_cpu_ms", pairs).is_leak(share=WORK_SHARE):
        found.append("work before the beat")
    if _compared("answer_ms", pairs).is_leak():
        found.append("time of the answer")
    if _compared("after_ms", pairs).is_leak():
        found.append("time after the beat")
    return found


def _compared(name, pairs):
    return compare([(getattr(known, name), getattr(unknown, name)) for known, unknown in pairs])
