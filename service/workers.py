"""What a worker process runs: the application from its environment, with its logs."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING

from service.kernel.collector import without_collecting

if TYPE_CHECKING:
    from fastapi import FastAPI

_LATE = ("jinja2", "aiosmtplib")
_PAUSE_SECONDS = 3.0
_SWITCH_SECONDS = 0.001
"""How long a thread that computes in Python keeps the interpreter from the event loop: a fifth of Python's own time.

The loop wants it back after every wait, several times a request, and stood for 15 to 35 ms beside a judged password.
"""


def worker_app(*, hash_slots: int = 0) -> FastAPI:
    """The application of one worker. Raises SettingsError.

    ``hash_slots`` passwords at a time are hashed by it; 0 leaves that to the settings.
    """
    with without_collecting():
        return _app(hash_slots)


def _app(hash_slots: int) -> FastAPI:
    from prometheus_client import CollectorRegistry

    from service.app import create_app
    from service.settings import load
    from service.telemetry.logging import configure
    from service.telemetry.metrics import Metrics
    from service.telemetry.tracing import configure_tracing

    settings = load(os.environ)
    sys.setswitchinterval(_SWITCH_SECONDS)
    settings = settings.model_copy(update={"hash_slots": hash_slots or settings.hash_slots})
    configure(
        style="console" if settings.is_dev else "json", level=logging.getLevelNamesMapping()[settings.log_level.upper()]
    )
    registry = CollectorRegistry()
    app = create_app(settings, Metrics(registry=registry), tracing=configure_tracing(os.environ), on_ready=settle)
    app.state.registry = registry
    return app


def settle() -> None:
    """Let the garbage collector never again look at what was built for the life of the process.

    That is some 150,000 objects, and a full collection of them was measured to stop the event loop for 300 ms.
    """
    gc.collect()
    gc.freeze()
    threading.Thread(target=load_late, name="load-late", daemon=True).start()


def load_late(pause_seconds: float = _PAUSE_SECONDS) -> None:
    """Load what the first mail and the first page need, after ``pause_seconds``: not at the start, nor in the loop.

    A page that is asked for sooner loads it, and the event loop stands for some 60 ms.
    """
    threading.Event().wait(pause_seconds)
    for name in _LATE:
        import_module(name)
