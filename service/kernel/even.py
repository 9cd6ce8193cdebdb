"""Answers that leave on a beat, so that their time does not tell what was done for them.

Two ways through a flow can be made to do the same calls and the same hashes; they never take exactly as long. An item
that is there is parsed, one that is not is not; a mail is sealed for somebody and for nobody a few random octets are
written. That is less than a millisecond, and a few hundred requests show it. So the answer waits for the next beat,
counted from when the work began, and the remainder is told to nobody.

Rejected: making up for each difference one by one (the next change of a flow brings it back), and a random delay (it
averages out).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from service.kernel.clock import Clock

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class EvenAnswers:
    """``beat_seconds`` is longer than the work usually takes: what takes longer answers at the next beat."""

    clock: Clock
    beat_seconds: float

    async def after(self, work: Awaitable[Result]) -> Result:
        """What ``work`` answers or raises, at the next beat."""
        began = self.clock.monotonic_seconds()
        try:
            return await work
        finally:
            await self._wait(began)

    async def refused(self, work: Awaitable[Result], refusal: type[Exception]) -> Result:
        """What ``work`` answers, at once; where it raises ``refusal``, at the next beat."""
        began = self.clock.monotonic_seconds()
        try:
            return await work
        except refusal:
            await self._wait(began)
            raise

    async def _wait(self, began: float) -> None:
        if self.beat_seconds > 0:
            spent = self.clock.monotonic_seconds() - began
            beats = math.floor(spent / self.beat_seconds) + 1
            await self.clock.sleep(beats * self.beat_seconds - spent)
