"""Delivery after the answer, in the background of this process.

The answer to a request must not tell whether a mail went out, in words or in time, so ``announce`` renders nothing,
waits for nothing and raises nothing. What is not delivered when the process ends is lost, and the log says so; each
journey with a mail in it lets its user ask for another.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.mail.compose import compose
from service.mail.ports import MailRefused, MailUnavailable

if TYPE_CHECKING:
    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.mail.message import MailMessage, OutgoingMail
    from service.mail.ports import MailSender
    from service.mail.render import Renderer

_log = logging.getLogger(__name__)
_ID_BYTES = 16
_JITTER_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a mail is tried, and how long to wait in between."""

    attempts: int = 5
    first_delay_seconds: float = 1.0
    longest_delay_seconds: float = 60.0

    def delay_seconds(self, *, failures: int, chance: bytes) -> float:
        """Doubles with each failure, up to the longest; ``chance`` picks a point in its upper half."""
        # The exponent is bounded too: an int of more than 1024 bits is no float.
        ceiling = min(self.longest_delay_seconds, self.first_delay_seconds * (1 << min(failures - 1, 60)))
        share = int.from_bytes(chance) / (1 << 8 * len(chance))
        return ceiling * (1 + share) / 2


@dataclass(frozen=True, kw_only=True)
class Post:
    """An ``Announcer`` that keeps at most ``max_waiting`` mails and sends at most ``max_in_flight`` at once."""

    renderer: Renderer
    sender: MailSender
    clock: Clock
    entropy: Entropy
    retry: Retry = Retry()
    max_in_flight: int = 8
    max_waiting: int = 1000
    _tasks: set[asyncio.Task[None]] = field(init=False, repr=False, compare=False, default_factory=set)
    _closed: asyncio.Event = field(init=False, repr=False, compare=False, default_factory=asyncio.Event)
    _slots: asyncio.Semaphore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", asyncio.Semaphore(self.max_in_flight))

    async def announce(self, message: MailMessage) -> None:
        """Take ``message`` on; when the process is full or stopping, it is dropped and the log says so."""
        message_id = self.entropy.token_bytes(_ID_BYTES).hex()
        if self._closed.is_set() or len(self._tasks) >= self.max_waiting:
            _log.error("mail dropped", extra=_fields(message, message_id, "stopping or full"))
            return
        task = asyncio.create_task(self._deliver(message, message_id), name=f"mail {message_id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._settle(done, message, message_id))

    async def drain(self, timeout_seconds: float) -> int:
        """Take no more mails and wait for those taken. Returns how many were not delivered in time and are lost."""
        self._closed.set()
        waiting = set(self._tasks)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=timeout_seconds)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(waiting)

    async def _deliver(self, message: MailMessage, message_id: str) -> None:
        mail = compose(self.renderer.render(message, message_id=message_id), sent_ms=self.clock.now_ms())
        failures = 0
        while (problem := await self._try(mail)) is not None:
            failures += 1
            _log.warning("mail not delivered", extra=_fields(message, message_id, str(problem)))
            if isinstance(problem, MailRefused) or failures >= self.retry.attempts:
                _log.error("mail given up", extra=_fields(message, message_id, str(problem)))
                return
            chance = self.entropy.token_bytes(_JITTER_BYTES)
            await self.clock.sleep(self.retry.delay_seconds(failures=failures, chance=chance))

    async def _try(self, mail: OutgoingMail) -> MailRefused | MailUnavailable | None:
        async with self._slots:
            try:
                await self.sender.send(mail)
            except (MailRefused, MailUnavailable) as problem:
                return problem
        return None

    def _settle(self, task: asyncio.Task[None], message: MailMessage, message_id: str) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            _log.error("mail lost", extra=_fields(message, message_id, "the process stopped"))
        elif (error := task.exception()) is not None:
            # The type alone: the text of an error that nobody foresaw may quote the mail.
            _log.error("mail failed", extra=_fields(message, message_id, type(error).__name__))


def _fields(message: MailMessage, message_id: str, reason: str) -> dict[str, str]:
    return {"mail_kind": message.template.value, "mail_id": message_id, "mail_problem": reason}
