from __future__ import annotations

import pytest

from service.migrate.errors import LedgerMismatch
from service.migrate.folder import Migration
from service.migrate.plan import Record, compare


def migration(number, sha256="s"):
    return Migration(number=number, name=f"{number:04d}_m", sha256=sha256, steps=())


def record(number, sha256="s"):
    return Record(number=number, name=f"{number:04d}_m", sha256=sha256, applied_at_ms=0, took_ms=0, fence=1)


def test_what_is_not_in_the_ledger_is_pending_in_order():
    plan = compare([migration(1), migration(2), migration(3)], [record(1)])
    assert [entry.number for entry in plan.pending] == [2, 3]
    assert plan.sound() is plan


@pytest.mark.parametrize(
    ("migrations", "records", "problem"),
    [
        ([migration(1, "changed")], [record(1)], "0001_m was changed after it was applied"),
        ([migration(1)], [record(1), record(2)], "0002_m was applied, and its file is missing"),
        ([migration(1), migration(2)], [record(2)], "0001_m is older than 0002_m"),
    ],
)
def test_a_ledger_that_the_files_do_not_bear_out_is_an_error(migrations, records, problem):
    plan = compare(migrations, records)
    assert problem in plan.problems[0]
    with pytest.raises(LedgerMismatch, match=problem):
        plan.sound()
