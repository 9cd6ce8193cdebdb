"""What coverage leaves alone: counting lines doubles their time, and a process that is killed leaves half a file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncounted() -> Iterator[None]:
    """No line is counted meanwhile, in this process or in one that it starts.

    A process of pytest-xdist counts twice, as a process of the suite and as pytest's: the one goes on when the other
    is told to pause.
    """
    counting = []
    while (innermost := Coverage.current()) is not None:
        innermost.stop()
        counting.append(innermost)
    try:
        with uncounted_processes():
            yield
    finally:
        for stopped in reversed(counting):
            stopped.start()


@contextmanager
def uncounted_processes() -> Iterator[None]:
    """No process that is started meanwhile counts its lines."""
    asks = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")}
    try:
        yield
    finally:
        os.environ.update(asks)
