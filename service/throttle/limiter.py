"""The limiter: what a door asks before it looks at a secret, and tells after.

::

    look = throttle.look(lanes)                            # raises from memory, without a read
    ...                                                    # look.reads stand in the door's own first batch
    async with await throttle.admit(look, items) as attempt:
        verdict = await hasher.verify(password, stored, on_slot=attempt.at_slot)
        await (attempt.succeeded() if verdict.ok else attempt.failed())

A door without a batch of its own says ``async with await throttle.before(lanes) as attempt``, and one without a
hashing slot awaits ``attempt.at_slot()`` before it compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, Self

from service.store.errors import StoreUnavailable
from service.throttle import repo
from service.throttle.gate import Gate, Hold, LaneLimited

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from service.store.codec import Item
    from service.store.operations import Get
    from service.throttle.lanes import Lane, Lanes


class Admission(Protocol):
    """One attempt. Left without an outcome, it counts as failed once it has had its slot."""

    async def at_slot(self) -> None:
        """Look again, now that the hash is about to be computed. Raises TooManyRequests."""
        ...

    async def failed(self) -> None:
        """The secret was wrong, or there was none to compare it with."""
        ...

    async def succeeded(self) -> None:
        """The secret was right, and opens something."""
        ...

    async def __aenter__(self) -> Self:
        """The attempt itself."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Settle what was left without an outcome."""
        ...


@dataclass(frozen=True, kw_only=True)
class Look:
    """The lanes that count for an attempt, and the reads of their tallies in the same order."""

    lanes: tuple[Lane, ...]
    reads: tuple[Get, ...]
    fallback: Lane | None = None
    """The account's lane, where a device stands in its place."""


class Throttle(Protocol):
    """Lets attempts through or refuses them."""

    def look(self, lanes: Lanes) -> Look:
        """What must be read for an attempt. Raises TooManyRequests where this process knows already."""
        ...

    async def admit(self, look: Look, items: Sequence[Item | None] | None) -> Admission:
        """Let an attempt begin. Raises TooManyRequests.

        ``items`` answer ``look.reads``; None says that the store did not answer.
        """
        ...

    async def before(self, lanes: Lanes) -> Admission:
        """Both at once, with a read of its own."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limiter:
    """The real one."""

    gate: Gate

    def look(self, lanes: Lanes) -> Look:
        """What must be read for an attempt. Raises TooManyRequests where this process knows already."""
        device = lanes.device
        if device is not None and self.gate.recall(device) is not None:
            device = None
        chosen = (lanes.account if device is None else device, lanes.address)
        for lane in chosen:
            refusal = self.gate.recall(lane)
            if refusal is not None:
                raise refusal
        fallback = None if device is None else lanes.account
        return Look(lanes=chosen, reads=tuple(repo.read(lane) for lane in chosen), fallback=fallback)

    async def admit(self, look: Look, items: Sequence[Item | None] | None) -> Admission:
        """Let an attempt begin. Raises TooManyRequests.

        ``items`` answer ``look.reads``; None says that the store did not answer.
        """
        if items is None:
            return self._locally(look)
        for lane, item in zip(look.lanes, items, strict=True):
            tally = repo.parse(item)
            refusal = self.gate.refuse(lane, tally)
            if refusal is not None and look.fallback is not None and lane is look.lanes[0]:
                return await self._as_stranger(look, look.fallback)
            if refusal is not None:
                raise refusal
            if item is not None:
                self.gate.memory.of(lane.key).saw(tally)
        return Attempt(gate=self.gate, lanes=look.lanes, is_away=False)

    async def before(self, lanes: Lanes) -> Admission:
        """Both at once, with a read of its own."""
        return await self._read_and_admit(self.look(lanes))

    async def _as_stranger(self, look: Look, account: Lane) -> Admission:
        """A device over its limit has no privilege; its account's lane counts, and is read now."""
        refusal = self.gate.recall(account)
        if refusal is not None:
            raise refusal
        lanes = (account, *look.lanes[1:])
        reads = tuple(repo.read(lane) for lane in lanes)
        return await self._read_and_admit(replace(look, lanes=lanes, reads=reads, fallback=None))

    async def _read_and_admit(self, look: Look) -> Admission:
        items: Sequence[Item | None] | None
        try:
            items = await self.gate.repo.dynamo.batch_get(look.reads)
        except StoreUnavailable:
            items = None
        return await self.admit(look, items)

    def _locally(self, look: Look) -> Admission:
        now_ms = self.gate.clock.now_ms()
        full = self.gate.cap.take(look.lanes, now_ms)
        if full is not None:
            raise LaneLimited(look.lanes[0], full, now_ms, is_news=False)
        return Attempt(gate=self.gate, lanes=look.lanes, is_away=True)


@dataclass(kw_only=True)
class Attempt:
    """An attempt in its lanes."""

    gate: Gate
    lanes: tuple[Lane, ...]
    is_away: bool
    _holds: list[Hold] = field(default_factory=list)

    async def at_slot(self) -> None:
        """Look again, now that the hash is about to be computed. Raises TooManyRequests."""
        try:
            for lane in self.lanes:
                self._holds.append(await self.gate.enter(lane, is_away=self.is_away))
        except BaseException:
            # Nothing was compared: what was reserved in the lanes before is no failure.
            await self._settle_right()
            raise

    async def failed(self) -> None:
        """The secret was wrong, or there was none to compare it with. Raises RuntimeError without a slot."""
        self._must_hold()
        while self._holds:
            await self.gate.fail(self._holds.pop(), is_away=self.is_away)

    async def succeeded(self) -> None:
        """The secret was right. Raises RuntimeError without a slot."""
        self._must_hold()
        await self._settle_right()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Settle what was left without an outcome; without a wait, since the caller may have been cancelled."""
        while self._holds:
            self.gate.abandon(self._holds.pop())

    async def _settle_right(self) -> None:
        while self._holds:
            await self.gate.succeed(self._holds.pop())

    def _must_hold(self) -> None:
        if not self._holds:
            raise RuntimeError("an attempt has one outcome, after its slot: is at_slot handed to the hasher?")
