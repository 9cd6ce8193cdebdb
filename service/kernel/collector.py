"""The garbage collector at the start of a process, when everything is made and nothing is thrown away."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_collecting() -> Iterator[None]:
    """No garbage collections inside, and afterwards none looks through what was made there again.

    Imports make some hundred thousand objects that all stay: going through them takes a tenth of the start, and later
    makes each full collection a stop of the event loop.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
