"""A program that is missing is told: by a skip that CI shows at its end, or by a failure where it is required."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.programs import need

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = """\
PASSED tests/a.py::test_one
SKIPPED [13] tests/browser/conftest.py:127: Chromium is not installed
SKIPPED [2] tests/throttle/test_redis.py: redis-server is not installed
SKIPPED [1] tests/faults/test_hang_ups.py:76: the long form only
= 900 passed, 16 skipped in 700.00s =
"""


def told(tmp_path, summary):
    log = tmp_path / "log"
    log.write_text(summary)
    return subprocess.run([ROOT / ".ci/skips", log], capture_output=True, text=True, check=True).stdout.splitlines()


def test_tests_that_were_not_tried_for_want_of_a_program_are_counted_and_named(tmp_path):
    headline, *lines = told(tmp_path, SUMMARY)
    assert "NOT TRIED: 15 tests" in headline
    assert len(lines) == 2
    assert "Chromium" in lines[0]
    assert "redis-server" in lines[1]


def test_nothing_is_told_where_every_program_was_there(tmp_path):
    assert told(tmp_path, "SKIPPED [1] tests/a.py:1: the long form only\n= 9 passed, 1 skipped in 1.00s =\n") == []


def test_a_missing_program_skips_a_test_and_fails_it_where_it_is_required():
    with pytest.raises(pytest.skip.Exception, match="Chromium is not installed"):
        need(None, "Chromium", required=False)
    with pytest.raises(pytest.fail.Exception, match="Chromium is not installed"):
        need(None, "Chromium", required=True)
    assert need("/usr/bin/chromium", "Chromium", required=True) == "/usr/bin/chromium"
