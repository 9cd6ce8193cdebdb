"""What a process knows of lanes between two looks at the table: bounded, and the counts are right without it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from service.throttle.model import EMPTY, Decision, Limit, Tally, decide, estimate, rolled

DEFAULT_CAPACITY = 10_000


@dataclass(kw_only=True)
class LaneState:
    """One lane in this process.

    ``unreserved``, ``reserving`` and ``reserved`` are attempts under way; ``pending`` and ``writing`` are failures that
    the table does not know yet, the last of them at ``failed_ms``; ``limited_until_ms`` spares the table while nothing
    can pass, and ``told_until_ms`` is the one of these that was last told.
    """

    tally: Tally = EMPTY
    unreserved: int = 0
    reserving: int = 0
    reserved: int = 0
    pending: int = 0
    writing: int = 0
    failed_ms: int = 0
    limited_until_ms: int = 0
    told_until_ms: int = 0

    @property
    def held(self) -> int:
        """Attempts that the table does not know yet, and that a reservation must leave room for."""
        return self.unreserved + self.pending + self.writing

    @property
    def has_reservations(self) -> bool:
        """Whether some of what the table counts may yet be given back by this process."""
        return self.reserving + self.reserved > 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, so that the state may be forgotten."""
        return not (self.unreserved or self.has_reservations or self.writing)

    def known(self, now_ms: int, limit: Limit) -> int:
        """The estimate with what the table does not know yet."""
        return estimate(self.tally, now_ms, limit) + self.held

    def decide_alone(self, now_ms: int, limit: Limit) -> Decision:
        """What this process would say by itself: of the tally as last seen, with what the table does not know yet."""
        here = rolled(self.tally, now_ms, limit)
        last_ms = max(here.last_ms, self.failed_ms)
        return decide(replace(here, current=here.current + self.held, last_ms=last_ms), now_ms, limit)

    def failed(self, now_ms: int) -> None:
        """One more failure that the table does not know."""
        self.pending += 1
        self.failed_ms = now_ms

    def forget_old(self, now_ms: int, limit: Limit) -> None:
        """Failures that could not be written for a whole window are no longer worth writing."""
        if now_ms - self.failed_ms >= limit.window_ms:
            self.pending = 0

    def may_go_unreserved(self, now_ms: int, limit: Limit) -> bool:
        """Whether an attempt may begin without being written down first.

        Not beside a reservation that is being made: that one could not have left room for it.
        """
        few = self.reserving == 0 and self.unreserved + self.writing < limit.unreserved_at_once
        return few and self.known(now_ms, limit) < limit.reserve_from

    def saw(self, tally: Tally) -> None:
        """A read, or the answer of a count: it may be older than what is known, so it only ever raises."""
        if (tally.start_ms, tally.current) > (self.tally.start_ms, self.tally.current):
            self.tally = tally


class Memory:
    """The states of the lanes used last; those in use are never dropped."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._states: OrderedDict[str, LaneState] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    @property
    def is_full(self) -> bool:
        """Whether a state may be dropped at any moment, so that nothing should be left pending in one."""
        return len(self._states) >= self._capacity

    def of(self, key: str) -> LaneState:
        """The state of a lane, made where there is none."""
        state = self._states.setdefault(key, LaneState())
        self._states.move_to_end(key)
        if len(self._states) > self._capacity:
            self._drop_oldest_idle(kept=state)
        return state

    def known(self, key: str) -> LaneState | None:
        """The state of a lane if there is one."""
        return self._states.get(key)

    def _drop_oldest_idle(self, *, kept: LaneState) -> None:
        idle = (key for key, state in self._states.items() if state.is_idle and state is not kept)
        oldest = next(idle, None)
        if oldest is not None:
            del self._states[oldest]
