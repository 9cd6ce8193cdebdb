"""Programs that tests need and a machine may lack: tests skip there, or fail where the programs are required."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED = os.environ.get("KEYTURN_REQUIRE_PROGRAMS") == "1"
"""Whether a missing program is a failure: ``.ci/run`` says so once it has installed them."""


def find(*names: str) -> str | None:
    """The path of the first of these programs that there is."""
    return next(filter(None, map(shutil.which, names)), None)


def is_missing(program: str | None) -> bool:
    """Whether tests of it are to be skipped; False where it is required, so that they run, and fail."""
    return program is None and not REQUIRED


def need(program: str | None, what: str, *, required: bool = REQUIRED) -> str:
    """The path of ``program``; skips the test where there is none, or fails it where it is required."""
    if program is None:
        (pytest.fail if required else pytest.skip)(f"{what} is not installed")
    return program
