"""The short form of the campaign against readers of bytes, and the replay of all that was ever found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.drive import FINDINGS, SEEDS
from fuzz.seeds import all_seeds
from fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
RUNS = 3000


def drive(*options):
    """The driver in a process of its own: what it records of each line would slow every other test down."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-m", "fuzz.drive", *map(str, options)]
    return subprocess.run(
        command, cwd=ROOT, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(300)
def test_thousands_of_inputs_make_no_target_raise_what_it_does_not_document(tmp_path):
    done = drive("--runs", RUNS, "--findings", tmp_path)
    assert done.returncode == 0, done.stderr[-5000:]
    assert [f"{name}: nothing found" for name in sorted(TARGETS)] == done.stdout.splitlines()
    assert not any(tmp_path.rglob("*/*"))


def test_a_target_with_a_bug_fails_the_campaign_and_its_input_is_kept(tmp_path):
    done = drive("--runs", 100_000, "--findings", tmp_path, "--registry", "tests.campaigns.planted:TARGETS")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["planted: FAILED", "sound: nothing found"]
    (found,) = (tmp_path / "planted").iterdir()
    assert found.read_bytes()[:1] == b"K"
    assert "KeyError" in done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_was_found_once_and_every_seed_is_read_without_harm(name):
    inputs = [path for folder in (SEEDS, FINDINGS) for path in sorted((folder / name).glob("*"))]
    assert inputs
    for path in inputs:
        TARGETS[name](path.read_bytes())


def test_each_target_has_its_seeds_and_no_others_lie_about():
    written = {folder.name: {path.read_bytes() for path in folder.iterdir()} for folder in SEEDS.iterdir()}
    assert written == {name: set(seeds) for name, seeds in all_seeds().items()}
    assert written.keys() == TARGETS.keys()
    assert {folder.name for folder in FINDINGS.glob("*")} <= TARGETS.keys()
