"""One way to the store for identical calls that begin together: a browser that wakes up sends its token five times.

Calls board until the loop has come round once; then the flight departs and nobody joins it any more. A call that came
later would get an answer that may be older than itself: of a session that was ended, and acknowledged to be, between
the flight's departure and the call. It flies by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


@dataclass(frozen=True)
class _Landed(Generic[T]):
    value: T


@dataclass(frozen=True)
class _Failed:
    error: Exception


_Outcome = _Landed[T] | _Failed | None
"""None when whoever flew was cancelled: the others try again."""


@dataclass(frozen=True, eq=False)
class Flights(Generic[T]):
    """Calls that are boarding, by what makes them identical. Belongs to one event loop."""

    _boarding: dict[Hashable, list[asyncio.Future[_Outcome[T]]]] = field(default_factory=dict)

    def __contains__(self, key: Hashable) -> bool:
        """Whether a call with ``key`` would be a passenger."""
        return key in self._boarding

    async def share(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What ``work`` answers or raises, called once for all that board with the same ``key``.

        A passenger that is cancelled leaves alone. When the one that flies is cancelled, a passenger takes its place.
        """
        while (passengers := self._boarding.get(key)) is not None:
            seat: asyncio.Future[_Outcome[T]] = asyncio.get_running_loop().create_future()
            passengers.append(seat)
            outcome = await seat
            if isinstance(outcome, _Failed):
                raise outcome.error
            if outcome is not None:
                return outcome.value
        return await self._fly(key, work)

    async def _fly(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        passengers = self._boarding[key] = []
        outcome: _Outcome[T] = None
        try:
            try:
                await asyncio.sleep(0)
            finally:
                del self._boarding[key]
            value = await work()
            outcome = _Landed(value)
        except Exception as error:
            outcome = _Failed(error)
            raise
        finally:
            for seat in passengers:
                if not seat.done():
                    seat.set_result(outcome)
        return value
