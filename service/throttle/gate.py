"""One lane's gate: lets an attempt begin, and writes down how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import TooManyRequests
from service.store.errors import StoreUnavailable
from service.throttle.model import Limited, Tally, decide

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.throttle.lanes import Lane
    from service.throttle.local_cap import LocalCap
    from service.throttle.memory import LaneState, Memory
    from service.throttle.repo import TallyRepo

_BUSY_MS = 1000


class LaneLimited(TooManyRequests):
    """A lane is over its limit; ``lane`` is the kind and not whose it is.

    ``is_news`` on the first refusal of each that a process gives until ``Retry-After``: one event is enough.
    """

    def __init__(self, lane: Lane, limited: Limited, now_ms: int, *, is_news: bool) -> None:
        super().__init__(f"{lane.limit.name} lane", retry_after_seconds=limited.retry_after_seconds(now_ms))
        self.lane = lane.limit.name
        self.is_news = is_news


@dataclass(kw_only=True)
class Hold:
    """An attempt under way in one lane; ``reserved`` is what its reservation answered, None without one."""

    lane: Lane
    state: LaneState
    reserved: Tally | None


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Joins the table, the process's memory and the cap for when the table is away."""

    repo: TallyRepo
    memory: Memory
    cap: LocalCap
    clock: Clock

    async def enter(self, lane: Lane, *, is_away: bool) -> Hold:
        """Begin an attempt: the last look before the hash is computed.

        ``is_away`` says that the store did not answer a moment ago and that the cap has let this attempt through.
        Raises TooManyRequests.
        """
        state, now_ms = self.memory.of(lane.key), self.clock.now_ms()
        refusal = self.recall(lane)
        if refusal is not None:
            raise refusal
        state.forget_old(now_ms, lane.limit)
        if is_away:
            self._check_alone(lane, state, now_ms)
        if is_away or state.may_go_unreserved(now_ms, lane.limit):
            state.unreserved += 1
            return Hold(lane=lane, state=state, reserved=None)
        return await self._reserve(lane, state, now_ms)

    async def fail(self, hold: Hold, *, is_away: bool) -> None:
        """The attempt was wrong. A store that is away does not raise: the failure is kept and written with the next."""
        self._leave(hold, is_failure=True)
        state, lane, now_ms = hold.state, hold.lane, self.clock.now_ms()
        is_due = (
            state.pending >= lane.limit.batch
            or self.memory.is_full
            or state.known(now_ms, lane.limit) >= lane.limit.reserve_from
        )
        if state.pending and is_due and not is_away:
            await self._write_pending(lane, state, now_ms)
        self._remember(lane, state, now_ms)

    async def succeed(self, hold: Hold) -> None:
        """The attempt was right: nothing is written, and nothing given back but its own reservation."""
        reserved = hold.reserved
        try:
            if reserved is not None:
                hold.state.tally = await self.repo.release(hold.lane, reserved) or hold.state.tally
        except StoreUnavailable:
            # It stays counted as a failure until its window has passed: too strict for once, never too lax.
            pass
        finally:
            self._leave(hold, is_failure=False)
        self._remember(hold.lane, hold.state, self.clock.now_ms())

    def abandon(self, hold: Hold) -> None:
        """The attempt has no outcome. It counts as a failure: somebody may have learned one."""
        self._leave(hold, is_failure=True)

    def recall(self, lane: Lane) -> LaneLimited | None:
        """The refusal that this process knows of already."""
        now_ms, state = self.clock.now_ms(), self.memory.known(lane.key)
        if state is None or state.limited_until_ms <= now_ms:
            return None
        is_news = state.told_until_ms != state.limited_until_ms
        state.told_until_ms = state.limited_until_ms
        return LaneLimited(lane, Limited(until_ms=state.limited_until_ms), now_ms, is_news=is_news)

    def refuse(self, lane: Lane, tally: Tally) -> LaneLimited | None:
        """The refusal that a tally just read asks for, if it does; remembered, so that the next costs no read."""
        now_ms = self.clock.now_ms()
        decision = decide(tally, now_ms, lane.limit)
        if not isinstance(decision, Limited):
            return None
        return self._refusal(lane, self.memory.of(lane.key), decision, now_ms)

    async def _reserve(self, lane: Lane, state: LaneState, now_ms: int) -> Hold:
        state.reserving += 1
        try:
            if state.pending:
                # Else they would take room for ever: only a failure writes them, and none comes without a reservation.
                await self._write_pending(lane, state, now_ms)
            outcome = await self.repo.reserve(lane, seen=state.tally, now_ms=now_ms, held=lambda: state.held)
        except StoreUnavailable:
            self._check_alone(lane, state, now_ms)
            full = self.cap.take((lane,), now_ms)
            if full is not None:
                raise LaneLimited(lane, full, now_ms, is_news=False) from None
            state.unreserved += 1
            return Hold(lane=lane, state=state, reserved=None)
        finally:
            state.reserving -= 1
        if isinstance(outcome, Limited):
            raise self._refusal(lane, state, outcome, now_ms)
        state.tally = outcome
        state.reserved += 1
        return Hold(lane=lane, state=state, reserved=outcome)

    def _check_alone(self, lane: Lane, state: LaneState, now_ms: int) -> None:
        """The cap lets little through, and the limit holds all the same, as far as this process knows."""
        decision = state.decide_alone(now_ms, lane.limit)
        if isinstance(decision, Limited):
            raise self._refusal(lane, state, decision, now_ms)

    def _refusal(self, lane: Lane, state: LaneState, limited: Limited, now_ms: int) -> LaneLimited:
        if state.has_reservations or state.unreserved:
            # What stands in the way may be given back in a moment.
            return LaneLimited(lane, Limited(until_ms=now_ms + _BUSY_MS), now_ms, is_news=False)
        state.limited_until_ms = state.told_until_ms = limited.until_ms
        return LaneLimited(lane, limited, now_ms, is_news=True)

    async def _write_pending(self, lane: Lane, state: LaneState, now_ms: int) -> None:
        amount, state.pending = state.pending, 0
        state.writing += amount
        written = False
        try:
            state.saw(await self.repo.count(lane, amount, seen=state.tally, now_ms=now_ms))
            written = True
        except StoreUnavailable:
            written = False
        finally:
            state.writing -= amount
            state.pending += 0 if written else amount

    def _leave(self, hold: Hold, *, is_failure: bool) -> None:
        if hold.reserved is not None:
            hold.state.reserved -= 1
            return
        hold.state.unreserved -= 1
        if is_failure:
            hold.state.failed(self.clock.now_ms())

    def _remember(self, lane: Lane, state: LaneState, now_ms: int) -> None:
        decision = decide(state.tally, now_ms, lane.limit)
        if isinstance(decision, Limited) and not state.has_reservations:
            state.limited_until_ms = decision.until_ms
