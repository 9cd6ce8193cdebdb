"""The service as it runs, for campaigns from outside."""

from __future__ import annotations

from tests.support.live import store, workers

__all__ = ["store", "workers"]
