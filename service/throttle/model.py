"""How many failures are too many, and for how long: two fixed windows, an estimate between them, growing delays.

The estimate is ``current + previous x (1 - fraction of the current window gone)``, rounded up. A fixed window holds at
most ``failures`` of them. A sliding one may hold up to twice as many, less one: all of a window at its end, and the
next ones as these fade.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_MAX_DOUBLINGS = 32


@dataclass(frozen=True, kw_only=True)
class Delay:
    """What a lane over its limit asks for: one attempt after ``first_seconds``, each further after twice as long."""

    first_seconds: int
    longest_seconds: int

    def after_ms(self, over: int) -> int:
        """How long after the last failure the next attempt may come, with ``over`` failures over the limit."""
        return 1000 * min(self.longest_seconds, self.first_seconds << min(over, _MAX_DOUBLINGS))


@dataclass(frozen=True, kw_only=True)
class Limit:
    """``failures`` in a window are too many; without ``delay`` nothing more passes until the estimate has fallen.

    ``batch`` is how many failures a process may gather before it writes them; ``unreserved_at_once`` how many attempts
    of one lane it may have under way without a reservation; ``when_away`` how many attempts a minute it lets through
    while the store is away.
    """

    name: str
    failures: int
    window_seconds: int
    when_away: int
    delay: Delay | None = None
    batch: int = 1
    unreserved_at_once: int = 1

    def __post_init__(self) -> None:
        if min(self.failures, self.window_seconds, self.when_away, self.batch, self.unreserved_at_once) < 1:
            raise ValueError(f"{self.name}: every number of a limit is 1 or more")

    @property
    def window_ms(self) -> int:
        """The length of a window."""
        return self.window_seconds * 1000

    @property
    def reserve_from(self) -> int:
        """From this estimate on an attempt is written down before it is made."""
        return self.failures // 2


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The failures of one lane, as they are stored; ``start_ms`` is the current window's, 0 where there is no item."""

    start_ms: int = 0
    current: int = 0
    previous: int = 0
    last_ms: int = 0


EMPTY = Tally()


@dataclass(frozen=True, kw_only=True)
class Open:
    """An attempt may be made as long as fewer than ``room`` failures stand in the current window."""

    room: int


@dataclass(frozen=True, kw_only=True)
class Limited:
    """No attempt before ``until_ms``."""

    until_ms: int

    def retry_after_seconds(self, now_ms: int) -> int:
        """The value of Retry-After: whole seconds, never none."""
        return max(1, -((now_ms - self.until_ms) // 1000))


Decision = Open | Limited


def rolled(tally: Tally, now_ms: int, limit: Limit) -> Tally:
    """The tally as of the window of ``now_ms``; older windows are over, whether or not TTL has deleted the item.

    A window that has not begun here was opened by a worker whose clock is a little ahead, and is the current one. One
    further ahead was opened by a clock that is wrong: its counts fade from now on, or they would lock for years.
    """
    start_ms = now_ms - now_ms % limit.window_ms
    if tally.start_ms in {start_ms, start_ms + limit.window_ms}:
        return tally
    if tally.start_ms > start_ms:
        return replace(tally, start_ms=start_ms, current=0, previous=tally.current)
    is_next = tally.start_ms == start_ms - limit.window_ms
    return replace(tally, start_ms=start_ms, current=0, previous=tally.current if is_next else 0)


def estimate(tally: Tally, now_ms: int, limit: Limit) -> int:
    """The failures in the last window's length, rounded up."""
    here = rolled(tally, now_ms, limit)
    return here.current + _faded(here, now_ms, limit)


def level_room(tally: Tally, now_ms: int, limit: Limit) -> int:
    """Below how many failures in the current window the estimate is below the limit."""
    return limit.failures - _faded(rolled(tally, now_ms, limit), now_ms, limit)


def decide(tally: Tally, now_ms: int, limit: Limit) -> Decision:
    """Whether one more attempt may be made now."""
    here = rolled(tally, now_ms, limit)
    over = here.current + _faded(here, now_ms, limit) - limit.failures
    if over < 0:
        return Open(room=level_room(tally, now_ms, limit))
    until_ms = _free_ms(here, limit)
    if limit.delay is not None:
        # A last failure in the future comes from another clock and must not make the delay longer.
        until_ms = min(until_ms, min(here.last_ms, now_ms) + limit.delay.after_ms(over))
    return Limited(until_ms=until_ms) if until_ms > now_ms else Open(room=here.current + 1)


def _faded(here: Tally, now_ms: int, limit: Limit) -> int:
    """What still counts of the previous window, rounded up."""
    gone_ms = min(max(now_ms - here.start_ms, 0), limit.window_ms)
    return -(-here.previous * (limit.window_ms - gone_ms) // limit.window_ms)


def _free_ms(here: Tally, limit: Limit) -> int:
    """When the estimate of a lane at its limit falls below it, if nothing fails until then."""
    spare = limit.failures - 1 - here.current
    if spare >= 0:
        return here.start_ms + limit.window_ms - spare * limit.window_ms // here.previous
    later = (limit.failures - 1) * limit.window_ms // here.current
    return here.start_ms + 2 * limit.window_ms - later
