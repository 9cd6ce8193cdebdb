"""The soak itself, in some seconds: everything in its mix works, and a fault ends it with a status of its own."""

from __future__ import annotations

import itertools

import pytest

from loadtests.soak import deeds, run
from loadtests.soak.judge import OWN, Outcome
from loadtests.soak.pace import Load

SHORT = ["--seconds", "8", "--people", "8", "--rate", "10"]


@pytest.fixture
def outcomes(monkeypatch):
    """What the runs came to. A stall is for the long form to judge: CI's machine may be busy with anything."""
    found = []
    judge = run.judge

    def judged(*arguments, **options):
        one = judge(*arguments, **options)
        found.append(one)
        quiet = {cause: 0 if cause in OWN else count for cause, count in one.stalls.items()}
        return Outcome(
            operations=one.operations, unexpected=one.unexpected, trends=one.trends, stalls=quiet, counts=one.counts
        )

    monkeypatch.setattr(run, "judge", judged)
    return found


def test_a_mixed_load_does_no_harm(outcomes, monkeypatch, capsys):
    # In turns and not by chance, so that seconds are enough for each to come.
    turns = itertools.cycle(deeds.MIX)
    monkeypatch.setattr(Load, "_draw", lambda _load: next(turns))
    assert run.main(SHORT) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    for deed in deeds.MIX:
        assert deed.__name__ in told
    assert set(outcomes[0].stalls) == {"busy", "blocked", "crowded", "machine"}
    assert [trend.first > 0 for trend in outcomes[0].trends] == [True] * 4
