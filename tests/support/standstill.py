"""Whether the machine stood still: a thread takes one short nap after another, and notes by how much it overslept."""

from __future__ import annotations

import threading
import time

NAP_SECONDS = 0.05
# More than turns of threads and of neighbours take, less than any time that a test gives.
LONG_SECONDS = 0.25


class Standstill:
    """Watches from ``start`` on. A program that waits for a second fails rightly when the machine took that second."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0

    def start(self) -> None:
        threading.Thread(target=self._watch, name="standstill", daemon=True).start()

    def forget(self) -> None:
        """Begin anew, for the next test."""
        self.longest_seconds = 0.0

    def was_long(self) -> bool:
        """Whether it stood still since ``forget`` for long enough to be the reason that something came too late."""
        return self.longest_seconds >= LONG_SECONDS

    def _watch(self) -> None:
        while True:
            began = time.monotonic()
            time.sleep(NAP_SECONDS)
            overslept = time.monotonic() - began - NAP_SECONDS
            self.longest_seconds = max(self.longest_seconds, overslept)
