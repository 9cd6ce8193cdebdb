"""Judges strength beside the event loop: one thread, and a bound on who waits.

One, since zxcvbn is Python and holds the interpreter: a second thread would take turns and not save time. At the
usual priority and not in the hashing pool: a thread of low priority that holds the interpreter would keep the event
loop waiting for as long as the machine has other things to do.

zxcvbn and its lists are loaded there too, with the first password that is judged: most requests set none.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from service.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.kernel.secret import Secret
    from service.passwords.strength import Strength

DEFAULT_QUEUE = 32


class StrengthMeter:
    """At most ``queue`` passwords are judged or wait; belongs to one event loop."""

    def __init__(self, *, queue: int = DEFAULT_QUEUE) -> None:
        if queue < 1:
            raise ValueError("a strength meter needs a place in its queue")
        self._queue = queue
        self._under_way = 0
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="strength")

    async def measure(self, password: Secret[str], *, words: Sequence[str] = ()) -> Strength:
        """The strength of ``password``, no longer than the policy allows. Raises Unavailable when full or closed."""
        if self._closed:
            raise Unavailable("the strength check has stopped", retry_after_seconds=1)
        if self._under_way >= self._queue:
            raise Unavailable("the queue of the strength check is full", retry_after_seconds=1)
        work = self._thread.submit(partial(_judge, password.reveal(), words))
        self._under_way += 1
        # Counted until the thread is through with it, even where the caller has gone.
        running = asyncio.wrap_future(work)
        running.add_done_callback(self._done)
        return await asyncio.shield(running)

    async def close(self) -> None:
        """Let what was begun finish; whoever comes later gets Unavailable."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)

    def _done(self, _running: asyncio.Future[Strength]) -> None:
        self._under_way -= 1


def _judge(password: str, words: Sequence[str]) -> Strength:
    from service.passwords.strength import judge

    return judge(password, words=words)
