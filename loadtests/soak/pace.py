"""Keeps a rate whatever the answers do (an open loop), and finds out which rate the machine can take."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadtests.soak.deeds import MIX

if TYPE_CHECKING:
    from random import Random

    from loadtests.soak.deeds import Deed
    from loadtests.soak.person import Person

MOST_AT_ONCE = 200
"""Deeds under way; over it the service does not keep up with its load, which is a fault of the run."""
_EXAMPLES = 20


@dataclass
class Tally:
    """What was done, how long it took in seconds, and what was not as it should be."""

    done: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    nobody_free: int = 0

    @property
    def operations(self) -> int:
        """Deeds that ended well."""
        return self.done.total()


@dataclass(kw_only=True)
class Load:
    """People and what they do; each does one thing at a time."""

    people: list[Person]
    random: Random
    tally: Tally = field(default_factory=Tally)
    _free: list[Person] = field(init=False)

    def __post_init__(self) -> None:
        self._free = list(self.people)

    async def capacity(self, seconds: float) -> float:
        """Deeds a second with everybody as quick as they can: a measure for a rate, not a figure to quote."""
        until, before = time.monotonic() + seconds, self.tally.operations

        async def hurry() -> None:
            while time.monotonic() < until and not self.tally.unexpected:
                await self._one(self._draw())

        begun = time.monotonic()
        await asyncio.gather(*(hurry() for _ in self.people))
        return (self.tally.operations - before) / (time.monotonic() - begun)

    async def keep(self, rate: float, seconds: float) -> None:
        """``rate`` deeds a second at random times. Ends early after too many faults."""
        begun = due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            under_way: set[asyncio.Task[None]] = set()
            while due < begun + seconds and len(self.tally.unexpected) < _EXAMPLES:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += self.random.expovariate(rate)
                if len(under_way) >= MOST_AT_ONCE:
                    self.tally.unexpected.append(f"{len(under_way)} deeds wait: the service does not keep up")
                    break
                task = group.create_task(self._one(self._draw()))
                under_way.add(task)
                task.add_done_callback(under_way.discard)

    def _draw(self) -> Deed:
        (deed,) = self.random.choices(list(MIX), weights=list(MIX.values()))
        return deed

    async def _one(self, deed: Deed) -> None:
        if not self._free:
            self.tally.nobody_free += 1
            await asyncio.sleep(0.01)
            return
        person = self._free.pop(self.random.randrange(len(self._free)))
        begun = time.monotonic()
        try:
            await deed(person)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault of the run and told
            self.tally.unexpected.append(f"{deed.__name__}: {type(error).__name__}: {error}")
        else:
            self.tally.done[deed.__name__] += 1
            self.tally.seconds.setdefault(deed.__name__, []).append(time.monotonic() - begun)
        finally:
            self._free.append(person)
