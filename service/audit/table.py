"""Events to the table, in the background: neither a slow store nor one that is away slows or fails an answer.

``record`` queues. A few writers empty the queue and end when it is empty. A write that fails is tried again with
growing delays, then given up: counted, and said in the log, where the event itself stands as well. ``keep`` writes
before it returns. ``drain`` belongs at the end of the process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, Protocol

import structlog

from service.audit.backoff import Backoff
from service.audit.entry import Entry, EventIds
from service.audit.keeping import is_anybodys, places
from service.audit.repo import puts
from service.store.errors import StoreUnavailable
from service.telemetry.request_facts import current_facts

if TYPE_CHECKING:
    from service.audit.event import Event
    from service.audit.repo import EventRepo
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.operations import Put

_log = structlog.get_logger("keyturn.audit")


class AuditMeter(Protocol):
    """Told how many events wait, and of each that was given up."""

    def audit_waits(self, change: int) -> None:
        """So many more, or fewer, wait to be written."""
        ...

    def audit_dropped(self, reason: str) -> None:
        """One event is not in the table."""
        ...


class TableAudit:
    """An ``AuditKeeper`` on the audit table; belongs to one event loop.

    At most ``capacity`` items wait; the last tenth of the places is for alarming events, and half of them are closed to
    what strangers can cause, so that nobody can crowd out what matters with events that are easy to cause.
    """

    def __init__(
        self,
        *,
        repo: EventRepo,
        clock: Clock,
        entropy: Entropy,
        meter: AuditMeter,
        retention_seconds: int,
        capacity: int = 4000,
        writers: int = 4,
        keep_seconds: float = 2.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._repo, self._clock, self._entropy, self._meter = repo, clock, entropy, meter
        self._ids = EventIds(clock=clock, entropy=entropy)
        self._retention_seconds, self._keep_seconds = retention_seconds, keep_seconds
        self._capacity, self._writers = capacity, writers
        self._backoff = backoff or Backoff()
        self._waiting: deque[Put] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._dropped = 0

    def record(self, event: Event) -> None:
        """Queue ``event`` with the time and the request of this moment."""
        self._queue(self._puts(event), room=self._room(event))

    async def keep(self, event: Event) -> bool:
        """Write ``event`` within ``keep_seconds``; what does not get through by then is queued."""
        writes = self._puts(event)
        try:
            async with asyncio.timeout(self._keep_seconds):
                return all(await asyncio.gather(*(self._append(put) for put in writes)))
        except (StoreUnavailable, TimeoutError):
            self._queue(writes, room=self._room(event))
            return False
        except asyncio.CancelledError:
            # Whoever asked has gone; the event has happened. Writing an item again that did get through is harmless.
            self._queue(writes, room=self._room(event))
            raise

    async def drain(self, timeout_seconds: float) -> int:
        """Take no more events and write those that wait. Returns how many could not be in time, and are lost."""
        self._closed = True
        dropped_before = self._dropped
        for _ in range(min(self._writers, len(self._waiting))):
            self._start_writer()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._waiting:
            self._drop(self._take(), "stopped")
        return self._dropped - dropped_before

    def _puts(self, event: Event) -> list[Put]:
        if not places(event).any:
            # Most events are refreshes, which are in the log alone.
            return []
        event_id, time_ms = self._ids.next()
        entry = Entry(event_id=event_id, time_ms=time_ms, event=event, facts=current_facts())
        return puts(entry, retention_seconds=self._retention_seconds)

    def _queue(self, writes: list[Put], *, room: int) -> None:
        for put in writes:
            if self._closed:
                self._drop(put, "stopped")
            elif len(self._waiting) >= room:
                self._drop(put, "full")
            else:
                self._waiting.append(put)
                self._meter.audit_waits(1)
                self._start_writer()

    def _room(self, event: Event) -> int:
        if event.alarming:
            return self._capacity
        return self._capacity // 2 if is_anybodys(event) else self._capacity * 9 // 10

    def _take(self) -> Put:
        self._meter.audit_waits(-1)
        return self._waiting.popleft()

    def _start_writer(self) -> None:
        if len(self._tasks) >= self._writers:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Recorded before there is a loop; the next event, or the drain, starts a writer.
            return
        # A context of its own: the writer outlives the request that happened to start it.
        task = loop.create_task(self._work(), name="audit writer", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        while self._waiting:
            put = self._take()
            try:
                await self._write(put)
            except asyncio.CancelledError:
                self._drop(put, "stopped")
                raise
            except Exception as error:  # noqa: BLE001 - a mistake in here is logged, and costs one event and not the others
                self._drop(put, "error", error)

    async def _write(self, put: Put) -> None:
        for failures in range(1, self._backoff.attempts + 1):
            try:
                await self._append(put)
            except StoreUnavailable:
                if failures < self._backoff.attempts:
                    await self._clock.sleep(self._backoff.delay_seconds(failures, self._entropy.token_bytes(2)))
            else:
                return
        self._drop(put, "store_away")

    async def _append(self, put: Put) -> bool:
        written = await self._repo.append(put)
        if not written:
            self._drop(put, "key_taken")
        return written

    def _drop(self, put: Put, reason: str, error: Exception | None = None) -> None:
        self._dropped += 1
        self._meter.audit_dropped(reason)
        _log.error(
            "audit_event_dropped",
            reason=reason,
            event_id=put.item["sk"],
            kind=put.item["kd"],
            outcome=put.item["oc"],
            exc_info=error,
        )
