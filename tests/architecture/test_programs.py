"""What is missing is told: by a skip that CI shows at its end, or by a failure where it is required."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from service.engines.dynoxide import RELEASES, Dynoxide
from tests.support import unit_engine
from tests.support.programs import need
from tests.support.unit_engine import can_be_fetched, need_unit_engine

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


@pytest.fixture
def no_engine(tmp_path):
    """The engine that counts units, on a machine that it runs on and where it was not fetched."""
    return Dynoxide(cache_dir=tmp_path, release=RELEASES["linux", "x86_64"])


def test_without_the_engine_that_counts_units_tests_are_skipped_and_ci_names_them(no_engine, tmp_path):
    with pytest.raises(pytest.skip.Exception, match="fetch it with") as skipped:
        need_unit_engine(no_engine, required=False)
    places = ("[40] tests/budgets/test_units.py:160", "[1] tests/docs/costs/test_feed.py:16")
    headline, line = told(tmp_path, "".join(f"SKIPPED {place}: {skipped.value.msg}\n" for place in places))
    assert "NOT TRIED: 41 tests" in headline
    assert "41: dynoxide is not installed" in line


def test_where_programs_are_required_and_the_engine_can_be_fetched_tests_fail_without_it(no_engine, monkeypatch):
    monkeypatch.setattr(unit_engine, "REQUIRED", True)
    monkeypatch.setattr(unit_engine, "can_be_fetched", lambda: True)
    with pytest.raises(pytest.fail.Exception, match="dynoxide is not installed"):
        need_unit_engine(no_engine)
    monkeypatch.setattr(unit_engine, "can_be_fetched", lambda: False)
    with pytest.raises(pytest.skip.Exception, match="dynoxide is not installed"):
        need_unit_engine(no_engine)


def test_the_engine_can_be_fetched_where_it_is_published_for_and_npm_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(unit_engine, "release_here", lambda: RELEASES["linux", "x86_64"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not can_be_fetched()
    (tmp_path / "npm").touch(mode=0o755)
    assert can_be_fetched()
    monkeypatch.setattr(unit_engine, "release_here", lambda: None)
    assert not can_be_fetched()
