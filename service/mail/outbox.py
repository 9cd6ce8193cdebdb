"""The outbox: a mail is stored before the answer that announces it, and leaves after it.

Who writes a letter holds the first claim on it, so that the usual mail costs two writes: stored, and removed when it
has left. When that process dies, the claim runs out and any other takes it over.

A mail is tried again unless it is known to have left, so none is lost, and one goes out again where that is not known:
the relay's answer to it never came, or the process died, or the store stayed away, between that answer and the removal.
No protocol can tell these from a mail that was not taken. All copies carry the same Message-ID. Lost answers make four
copies at most, everything together as many as there are tries.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from service.errors import Unavailable
from service.mail.compose import compose
from service.mail.letter import SHARDS, LetterSeal, LetterUnreadable, new_place, shard_name
from service.mail.outbox_repo import Letter, OutboxRepo, put_letter
from service.mail.ports import MailRefused, MailUnavailable, MailUncertain, Uncounted

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.mail.message import MailMessage
    from service.mail.ports import MailMeter, MailSender
    from service.mail.render import Renderer
    from service.mail.retry import Retry
    from service.store.operations import Put

_log = logging.getLogger(__name__)
Result = TypeVar("Result")

CLAIM_SECONDS = 120
"""Longer than any try takes: the sender's own time-outs end it before."""
_LONGEST_TRY_SECONDS = 70
POLL_SECONDS = 15
_REMOVE_AGAIN_SECONDS = 1.0
_UNREAD = "unread"
"""In place of the kind of a letter that could not be opened."""


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A letter that is ready to be stored: ``action`` goes into a transaction, or is written alone."""

    letter: Letter
    action: Put


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """Stores, sends and retries mails. ``sends_itself`` is off where a stream drives it (AWS Lambda)."""

    repo: OutboxRepo
    seal: LetterSeal
    renderer: Renderer
    sender: MailSender
    retry: Retry
    clock: Clock
    entropy: Entropy
    meter: MailMeter = field(default_factory=Uncounted)
    sends_itself: bool = True
    max_in_flight: int = 8
    _tasks: set[asyncio.Task[Any]] = field(init=False, repr=False, compare=False, default_factory=set)
    _slots: asyncio.Semaphore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", asyncio.Semaphore(self.max_in_flight))

    def prepare(self, message: MailMessage) -> Announced:
        """A letter for ``message``, not yet stored."""
        now_ms = self.clock.now_ms()
        place = new_place(now_ms=now_ms, entropy=self.entropy)
        letter = Letter(
            place=place,
            sealed=self.seal.seal(message, place),
            tries=1 if self.sends_itself else 0,
            # Nobody's, it is due at once, also by a clock that is behind this one.
            claimed_until_ms=now_ms + CLAIM_SECONDS * 1000 if self.sends_itself else 0,
        )
        return Announced(letter=letter, action=put_letter(letter, now_ms=now_ms))

    def dispatch(self, announced: Announced) -> None:
        """Send what was stored, in the background of this process."""
        if self.sends_itself:
            self._spawn(self._deliver(announced.letter))

    async def announce(self, message: MailMessage) -> None:
        """Store a letter on its own and send it after the answer. Raises StoreUnavailable: nothing was announced."""
        announced = self.prepare(message)
        await self.store(announced)
        self.dispatch(announced)

    async def store(self, announced: Announced) -> None:
        """Write a letter on its own. Raises StoreUnavailable."""
        await self.repo.put(announced.action)

    async def run(self) -> None:
        """Look for letters whose claim has run out, until cancelled."""
        while True:
            jitter = self.entropy.token_bytes(1)[0] / 256
            await self.clock.sleep(POLL_SECONDS * (0.5 + jitter))
            try:
                await self.sweep()
            except Unavailable as error:
                _log.warning("outbox not read", extra={"mail_problem": error.detail_for_log})

    async def sweep(self) -> int:
        """Claim and send what is due; answers how many were claimed."""
        claimed = 0
        for number in range(SHARDS):
            start = None
            while True:
                letters, start = await self.repo.page(shard_name(number), start=start)
                for letter in letters:
                    claimed += self._is_due(letter) and await self._take_apart(letter)
                if start is None:
                    break
        return claimed

    async def take(self, letter: Letter) -> bool:
        """Claim and send one letter, if it is due and nobody else was faster. ``service.mail.stream`` calls this.

        Raises StoreUnavailable.
        """
        if not self._is_due(letter):
            return False
        mine = await self.repo.claim(letter, until_ms=self.clock.now_ms() + CLAIM_SECONDS * 1000)
        if mine is None:
            return False
        await self._deliver(mine)
        return True

    async def drain(self, timeout_seconds: float) -> int:
        """Wait for what is under way. Answers how many were cut short; others take them over when their claim ends."""
        waiting = set(self._tasks)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=timeout_seconds)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return len(waiting)

    def _is_due(self, letter: Letter) -> bool:
        return self.clock.now_ms() >= letter.claimed_until_ms

    async def _take_apart(self, letter: Letter) -> bool:
        """``take`` in a task of its own: one letter's failure is not the sweep's, nor the end of the sweep its end."""
        taking = self._spawn(self.take(letter))
        await asyncio.wait({taking})
        return not taking.cancelled() and taking.exception() is None and taking.result()

    async def _deliver(self, letter: Letter) -> None:
        async with self._slots:
            if self.clock.now_ms() >= letter.claimed_until_ms - _LONGEST_TRY_SECONDS * 1000:
                # It waited so long for a slot that its claim may run out: another would send it too.
                return
            kind = _UNREAD
            if letter.tries > self.retry.attempts:
                # Each process that tried it has died of it, or before it could say so.
                self._give_up(letter, kind, "no try has ended")
                await self._remove(letter)
                return
            try:
                message = self.seal.open(letter.sealed, letter.place)
                kind = message.template.value
                await self._send(message, letter)
            except (MailUnavailable, LetterUnreadable) as error:
                # What we cannot read, a worker of another version may: it is tried as often as any.
                await self._put_off(letter, kind, error)
                return
            except MailRefused as error:
                self._give_up(letter, kind, str(error))
            else:
                self.meter.mailed(kind=kind, outcome="sent")
            await self._remove(letter)

    async def _send(self, message: MailMessage, letter: Letter) -> None:
        render = partial(self.renderer.render, message, message_id=letter.place.message_id)
        rendered = render() if self.renderer.is_loaded(message) else await asyncio.to_thread(render)
        await self.sender.send(compose(rendered, sent_ms=self.clock.now_ms()))

    async def _remove(self, letter: Letter) -> None:
        """It has left: as long as the claim holds, nothing else may be made of that."""
        while True:
            try:
                await self.repo.remove(letter)
            except Unavailable as error:
                if self.clock.now_ms() >= letter.claimed_until_ms:
                    raise
                _log.warning("mail not removed", extra=_fields(letter, error.detail_for_log))
                await self.clock.sleep(_REMOVE_AGAIN_SECONDS)
            else:
                return

    def _give_up(self, letter: Letter, kind: str, problem: str) -> None:
        _log.error("mail given up", extra=_fields(letter, problem))
        self.meter.mailed(kind=kind, outcome="given_up")

    async def _put_off(self, letter: Letter, kind: str, error: MailUnavailable | LetterUnreadable) -> None:
        uncertain = isinstance(error, MailUncertain)
        more_tries = self.retry.counts(uncertain=uncertain) - 1
        if letter.tries + more_tries >= self.retry.attempts:
            self._give_up(letter, kind, str(error))
            await self.repo.remove(letter)
            return
        _log.warning("mail not delivered", extra=_fields(letter, str(error)))
        self.meter.mailed(kind=kind, outcome="put_off")
        chance = self.entropy.token_bytes(4)
        delay_seconds = self.retry.delay_seconds(failures=letter.tries, chance=chance, uncertain=uncertain)
        at_ms = self.clock.now_ms() + round(delay_seconds * 1000)
        await self.repo.put_off(letter, at_ms=at_ms, more_tries=more_tries)

    def _spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The type alone: the text of an error that nobody foresaw may quote the mail.
            _log.error("mail failed", extra={"mail_problem": type(error).__name__})


def _fields(letter: Letter, problem: str) -> dict[str, str]:
    return {"mail_id": letter.place.message_id, "mail_problem": problem}
