"""The README of each example says how to start it by hand, and that line works when it is pasted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from examples.run import HERE, free_port, wait_for


def by_hand(name):
    text = (HERE / f"{name}_notes" / "README.md").read_text("utf-8")
    (line,) = re.findall(r"`(\. /tmp/notes/notes\.env && [^`]+)`", text)
    return line


@pytest.mark.parametrize("name", ["fastapi", "flask", "django"])
def test_an_example_is_started_by_hand_as_its_readme_says(stage, name, tmp_path):
    port, log = free_port(), tmp_path / "log"
    line, replaced = re.subn(r"\b801[123]\b", str(port), by_hand(name))
    line = line.replace("/tmp/notes/", f"{stage.data}/")
    assert replaced == 1
    assert str(stage.data) in line
    # What a fresh shell has, with the environment of the page active: nothing of this test's own.
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    with log.open("wb") as out:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=HERE / f"{name}_notes",
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/notes", log)
        ada = stage.person(f"by-hand-{name}")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert client.get("/notes").status_code == 401
            made = client.post("/notes", json={"text": "milk"}, headers=ada.bearer)
            assert (made.status_code, made.json()["text"]) == (201, "milk")
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(30)


def test_the_variables_that_are_left_are_for_their_owner_only(stage):
    assert (stage.data / "notes.env").stat().st_mode & 0o777 == 0o600
