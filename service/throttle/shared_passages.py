"""Passages that are counted in a Redis: in threads, with little patience, and left alone while it is away.

Coarse limits need not be exact, and must never be what holds a request up. Where the Redis cannot be asked in time, the
caller counts in its process.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from limits.errors import StorageError

if TYPE_CHECKING:
    from starlette.requests import Request

    from service.errors import TooManyRequests
    from service.kernel.clock import Clock
    from service.throttle.passages import Passages

_log = structlog.get_logger("keyturn.throttle")

SOCKET_SECONDS = 0.25
"""For connecting and for an answer."""
PATIENCE_SECONDS = 0.5
"""For both, and for the look-up of the name, which no option of the client bounds."""
AWAY_SECONDS = 5.0
"""So long nobody asks again after a failure; then one request does."""
AT_ONCE = 16
"""A Redis that is slow must not gather threads: whoever comes while so many are asking counts in its process."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The request was counted; ``refusal`` where it was one too many."""

    refusal: TooManyRequests | None


class SharedPassages:
    """Asks ``passages``, which block, in threads of its own."""

    def __init__(self, passages: Passages, clock: Clock, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._passages = passages
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="coarse-limits")
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._is_away = False
        self._ask_again_seconds = 0.0

    async def count(self, request: Request) -> Counted | None:
        """None where ``request`` was not counted: the Redis is away, or was a moment ago, or too many are asking."""
        if self._is_away and self._clock.monotonic_seconds() < self._ask_again_seconds:
            return None
        if not self._turns.acquire(blocking=False):
            return None
        # While it is away, this one tries and the others do not wait for it.
        self._ask_again_seconds = self._clock.monotonic_seconds() + AWAY_SECONDS
        try:
            async with asyncio.timeout(self._patience_seconds):
                refusal = await asyncio.wrap_future(self._submit(request))
        except (StorageError, OSError, TimeoutError) as error:
            self._found(away=True, reason=type(error).__name__)
            return None
        self._found(away=False, reason=None)
        return Counted(refusal=refusal)

    def close(self) -> None:
        """Let the threads end; what they are asking is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _submit(self, request: Request) -> Future[TooManyRequests | None]:
        try:
            future = self._threads.submit(self._passages.refusal, request)
        except RuntimeError as error:
            # There is no thread to be had, or the application has ended.
            self._turns.release()
            raise OSError("no thread") from error
        # When the thread is done, however long after the request it was for.
        future.add_done_callback(lambda _done: self._turns.release())
        return future

    def _found(self, *, away: bool, reason: str | None) -> None:
        if away != self._is_away:
            self._is_away = away
            if away:
                _log.warning("coarse_limits_count_alone", setting="KEYTURN_COARSE_LIMITS_URL", reason=reason)
            else:
                _log.info("coarse_limits_are_shared_again")
