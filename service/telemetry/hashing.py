"""A hashing pool that is watched: how many wait, how long, and how long hashing takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from service.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from service.kernel.clock import Clock
    from service.telemetry.tracing import Tracing

T = TypeVar("T")


class Pool(Protocol):
    """Threads for hashing, as ``service.passwords.pool`` has them."""

    @property
    def slots(self) -> int:
        """How many hash at one time."""
        ...

    async def run(self, work: Callable[[], T], *, on_slot: Callable[[], Awaitable[None]] | None = None) -> T:
        """What ``work`` gives; ``on_slot`` is awaited when a slot was got. Raises Unavailable when too many wait."""
        ...

    async def close(self) -> None:
        """Let running work finish."""
        ...


class HashMeter(Protocol):
    """Told of every hash."""

    def hash_waits(self, change: int) -> None:
        """So many more, or fewer, callers wait for a slot."""
        ...

    def hash_refused(self) -> None:
        """One caller got no slot."""
        ...

    def hashed(self, *, wait_seconds: float, work_seconds: float) -> None:
        """One hash was computed."""
        ...


@dataclass(kw_only=True)
class _Wait:
    """From asking for a slot to getting one; counted out once, whichever way it ends."""

    meter: HashMeter
    clock: Clock
    started_seconds: float
    ended_seconds: float | None = None

    def end(self) -> None:
        if self.ended_seconds is None:
            self.ended_seconds = self.clock.monotonic_seconds()
            self.meter.hash_waits(-1)


@dataclass(frozen=True, kw_only=True)
class MeasuredPool:
    """A ``Pool`` around a pool."""

    pool: Pool
    clock: Clock
    meter: HashMeter
    tracing: Tracing

    @property
    def slots(self) -> int:
        """The pool's own."""
        return self.pool.slots

    async def run(self, work: Callable[[], T], *, on_slot: Callable[[], Awaitable[None]] | None = None) -> T:
        """As the pool's own, counted and in a span. What ``on_slot`` takes is part of the work."""
        wait = _Wait(meter=self.meter, clock=self.clock, started_seconds=self.clock.monotonic_seconds())

        async def got_slot() -> None:
            wait.end()
            if on_slot is not None:
                await on_slot()

        self.meter.hash_waits(1)
        with self.tracing.span("hash password") as span:
            try:
                result = await self.pool.run(work, on_slot=got_slot)
            except Unavailable:
                if wait.ended_seconds is None:
                    self.meter.hash_refused()
                raise
            finally:
                wait.end()
            ended_seconds = wait.ended_seconds or wait.started_seconds
            wait_seconds = ended_seconds - wait.started_seconds
            work_seconds = self.clock.monotonic_seconds() - ended_seconds
            self.meter.hashed(wait_seconds=wait_seconds, work_seconds=work_seconds)
            span.set_attributes({"keyturn.hash.wait_seconds": wait_seconds, "keyturn.hash.work_seconds": work_seconds})
            return result

    async def close(self) -> None:
        """Close the pool."""
        await self.pool.close()
