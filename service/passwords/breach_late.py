"""A breach list that is opened when it is asked first: what it needs takes a while to load, and most requests set none.

Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from service.passwords.breach import Breach

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from service.kernel.secret import Secret
    from service.passwords.breach import BreachList


class LateBreachList:
    """A ``BreachList`` of ``opening``, which is entered once, by whoever asks first, and left by ``aclose``."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[BreachList]]) -> None:
        self._opening = opening
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()
        self._closed = False
        self.opened: BreachList | None = None

    async def contains(self, password: Secret[str]) -> Breach:
        """What the list says of ``password``; UNKNOWN once this is closed."""
        async with self._turn:
            if self._closed:
                return Breach.UNKNOWN
            if self.opened is None:
                self.opened = await self._stack.enter_async_context(self._opening())
        return await self.opened.contains(password)

    async def aclose(self) -> None:
        """Close the list, if it was opened."""
        async with self._turn:
            self._closed = True
            await self._stack.aclose()
