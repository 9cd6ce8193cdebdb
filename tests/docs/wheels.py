"""Commands as an installation runs them."""

from __future__ import annotations

import subprocess


def run(*command, env=None, cwd=None):
    """What the command printed, both streams together, and its exit status."""
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        cwd=cwd,
        check=False,
        timeout=110,
    )
    return done.stdout, done.returncode
