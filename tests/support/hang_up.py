"""A client that hangs up: what serves it is cancelled at whichever await a test says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


class _Watched:
    """Awaits a coroutine, and cancels the task around it while it waits for the ``at``-th time (from 0)."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int) -> None:
        self._coroutine, self._at = coroutine, at
        self.waited = 0

    def __await__(self) -> Generator[Any, None, Any]:
        inner, task = self._coroutine.__await__(), asyncio.current_task()
        hung_up: asyncio.CancelledError | None = None
        while True:
            try:
                waits_for = inner.send(None) if hung_up is None else inner.throw(hung_up)
            except StopIteration as end:
                return end.value
            if self.waited == self._at:
                asyncio.get_running_loop().call_soon(task.cancel)
            self.waited += 1
            try:
                yield waits_for
                hung_up = None
            except asyncio.CancelledError as error:
                hung_up = error


async def hang_up_at(coroutine: Coroutine[Any, Any, Any], at: int) -> bool:
    """Run ``coroutine`` and cancel it at its ``at``-th await. Whether it came to that; else it has run to its end."""
    watched = _Watched(coroutine, at)

    async def run() -> Any:
        return await watched

    await asyncio.gather(asyncio.create_task(run()), return_exceptions=True)
    return watched.waited > at
