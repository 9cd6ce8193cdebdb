"""The command as a real process, with its output in files and an end that is certain."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

PROGRAM = Path(sys.executable).with_name("keyturn")
_READY = re.compile(r"^Keyturn is ready at (http://\S+)$", re.MULTILINE)
_METRICS = re.compile(r"^Metrics: (http://\S+)$", re.MULTILINE)


def clean_environ(**changes):
    """A shell in which nobody has set anything of ours or of AWS's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "KEYTURN_")) or name == "KEYTURN_ENGINES_DIR"
    }
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **changes}


class Command:
    """One ``keyturn`` that runs."""

    def __init__(self, arguments, folder, environ):
        self.out_path, self.err_path = folder / f"{id(self)}.out", folder / f"{id(self)}.err"
        with self.out_path.open("w") as out, self.err_path.open("w") as err:
            self.process = subprocess.Popen(
                [PROGRAM, *arguments], cwd=folder, env=environ, stdout=out, stderr=err, start_new_session=True
            )
        self.family = []

    @property
    def out(self):
        return self.out_path.read_text()

    @property
    def err(self):
        return self.err_path.read_text()

    def wait_for(self, condition, seconds=30.0):
        """Until ``condition`` answers something, or the command has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                self.family = psutil.Process(self.process.pid).children(recursive=True)
                return found
            assert self.process.poll() is None, (self.process.returncode, self.out, self.err)
            time.sleep(0.02)
        raise AssertionError((self.out, self.err))

    def wait_until_ready(self):
        """The base URL, once it is printed."""
        return self.wait_for(lambda: (found := _READY.search(self.out)) and found[1])

    @property
    def metrics_url(self):
        return _METRICS.search(self.out)[1]

    def end(self, number=signal.SIGTERM, seconds=25):
        """Send a signal and answer the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def orphans(self, seconds=10.0):
        """Those of its processes that are still there after a while."""
        _, alive = psutil.wait_procs(self.family, timeout=seconds)
        return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def start(tmp_path):
    """Start a ``keyturn``; whatever is left of it at the end of the test is killed."""
    started = []

    def launch(*arguments, **changes):
        command = Command([str(one) for one in arguments], tmp_path, clean_environ(**changes))
        started.append(command)
        return command

    yield launch
    for command in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            command.family += psutil.Process(command.process.pid).children(recursive=True)
        command.process.kill()
        command.process.wait(10)
        command.orphans(5)
        for process in command.family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture
def run(tmp_path):
    """Run a ``keyturn`` to its end: exit status, standard output, standard error."""

    def finish(*arguments, stdin="", **changes):
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=tmp_path,
            env=clean_environ(**changes),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return finish


@pytest.fixture
def http():
    with httpx.Client(timeout=10) as client:
        yield client
