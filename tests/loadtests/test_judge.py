"""What fails a soak: a leak under noise, an answer, a stall of the process's own; and what does not."""

from __future__ import annotations

from random import Random

import pytest

from loadtests.soak.judge import ALLOWANCES, MEBIBYTE, Outcome, trend_of

BY_NAME = {allowance.name: allowance for allowance in ALLOWANCES}


def readings(start, growth, *, noise=0.0, spike=0.0, count=100, seconds=1440):
    """``growth`` over the whole, with noise, and one reading that is far out."""
    random = Random(1)
    points = [
        (seconds * number / (count - 1), start + growth * number / (count - 1) + random.uniform(-noise, noise))
        for number in range(count)
    ]
    points[-1] = (points[-1][0], points[-1][1] + spike)
    return points


@pytest.mark.parametrize(
    ("name", "start", "leak", "noise"),
    [
        ("memory", 150 * MEBIBYTE, 20 * MEBIBYTE, 3 * MEBIBYTE),
        ("open files", 50, 30, 5),
        ("threads", 10, 6, 1),
        ("tasks", 5, 20, 4),
    ],
)
def test_a_leak_is_seen_under_noise_and_noise_is_none(name, start, leak, noise):
    allowance = BY_NAME[name]
    leaking = trend_of(allowance, readings(start, leak, noise=noise))
    assert leaking.grows
    assert leaking.growth == pytest.approx(leak, rel=0.3)
    assert name in leaking.line()
    assert not trend_of(allowance, readings(start, 0, noise=noise, spike=10 * leak)).grows
    assert not trend_of(allowance, readings(start, -leak, noise=noise)).grows


def test_too_few_readings_are_no_verdict():
    with pytest.raises(ValueError, match="too seldom"):
        trend_of(BY_NAME["memory"], [(1.0, 5.0)])


def outcome(**changes):
    flat = [trend_of(allowance, readings(10, 0)) for allowance in ALLOWANCES]
    base = {"operations": 10, "unexpected": [], "trends": flat, "stalls": {"busy": 0, "blocked": 0, "machine": 9}}
    return Outcome(**{**base, **changes})


def test_a_run_on_a_busy_machine_passes():
    assert outcome(stalls={"busy": 0, "blocked": 0, "crowded": 4, "machine": 9}, counts={"mails": 0}).faults() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"operations": 0}, "no operation"),
        ({"unexpected": ["look: 500"]}, "look: 500"),
        ({"stalls": {"busy": 1}}, "1 stalls of the event loop of 50 ms, busy"),
        ({"stalls": {"blocked": 2}}, "2 stalls of the event loop of 50 ms, blocked"),
        ({"counts": {"mails given up": 3}}, "mails given up: 3"),
        ({"trends": [trend_of(BY_NAME["threads"], readings(10, 9))]}, "grows: threads"),
    ],
)
def test_each_fault_fails_the_run_and_is_told(changes, told):
    (fault,) = outcome(**changes).faults()
    assert told in fault
