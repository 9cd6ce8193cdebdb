"""What tries a test again, and what does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import sys, time
from tests.support.standstill import Standstill
standstill = Standstill()
standstill.start()
print("watches", flush=True)
sys.stdin.readline()
time.sleep(0.1)
print(standstill.was_long())
standstill.forget()
print(standstill.was_long())
"""


@pytest.fixture
def watching():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "watches\n"
        yield process
        process.kill()


def test_a_process_that_was_stopped_has_stood_still_until_that_is_forgotten(watching):
    os.kill(watching.pid, signal.SIGSTOP)
    time.sleep(0.6)
    os.kill(watching.pid, signal.SIGCONT)
    assert watching.communicate("\n")[0].split() == ["True", "False"]


def test_a_process_that_runs_has_not_stood_still(watching):
    time.sleep(0.6)
    assert watching.communicate("\n")[0].split() == ["False", "False"]
