"""Fixed windows in this process, for slowapi: bounded, on the clock that is handed in, and without threads.

The storage that its library brings keeps every key for a minute, of which a client with a large network may make as
many as it likes, and looks through all of them in threads of its own. This one forgets the key used longest ago.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits.storage import Storage

if TYPE_CHECKING:
    from service.kernel.clock import Clock

SCHEME = "keyturn-memory"
DEFAULT_CAPACITY = 20_000


@dataclass(kw_only=True)
class _Window:
    ends_seconds: float
    count: int = 0


class BoundedStorage(Storage):
    """The windows of the keys used last. Not for more than one thread."""

    STORAGE_SCHEME: list[str] | None = [SCHEME]  # noqa: RUF012 - the library's own form

    def __init__(self, uri: str | None = None, *, clock: Clock, capacity: int = DEFAULT_CAPACITY) -> None:
        super().__init__(uri)
        self._clock = clock
        self._capacity = capacity
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What this may raise: nothing."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` more for ``key``; the first opens a window of ``expiry`` seconds. Answers the count."""
        now_seconds = self._clock.monotonic_seconds()
        window = self._windows.get(key)
        if window is None or window.ends_seconds <= now_seconds:
            window = self._windows[key] = _Window(ends_seconds=now_seconds + expiry)
        self._windows.move_to_end(key)
        if len(self._windows) > self._capacity:
            self._windows.popitem(last=False)
        window.count += amount
        return window.count

    def get(self, key: str) -> int:
        """The count of the open window of ``key``."""
        window = self._open(key)
        return 0 if window is None else window.count

    def get_expiry(self, key: str) -> float:
        """When the window of ``key`` ends, in seconds of the wall clock; now, where there is none."""
        window, now_seconds = self._open(key), self._clock.now_ms() / 1000
        if window is None:
            return now_seconds
        return now_seconds + window.ends_seconds - self._clock.monotonic_seconds()

    def check(self) -> bool:
        """It is always there."""
        return True

    def reset(self) -> int:
        """Forget everything; answers how many keys that were."""
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forget one key."""
        self._windows.pop(key, None)

    def _open(self, key: str) -> _Window | None:
        window = self._windows.get(key)
        return None if window is None or window.ends_seconds <= self._clock.monotonic_seconds() else window
