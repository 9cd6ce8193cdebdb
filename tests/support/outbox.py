"""An outbox to try: its table in memory, a carrier that answers as it is told, and a few words for both."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from service.mail.letter import LetterSeal
from service.mail.message import MailKind, MailMessage
from service.mail.outbox import Outbox
from service.mail.outbox_repo import Letter, from_item
from service.mail.render import Renderer
from service.mail.retry import Retry
from service.store.errors import StoreUnavailable
from tests.support.clock import ManualClock
from tests.support.store import CountedEntropy

TO = "ada@example.com"
TOKEN = "T0ken-of-the-link" * 3
CODE = "7K3M-9QXT"
MASTER = bytes(range(32))


def message(to=TO, *, locale="en"):
    """A mail that carries what nobody else may read."""
    link = f"https://auth.example.com/password/reset?token={TOKEN}"
    values = {"link": link, "code": CODE, "expires_minutes": "30"}
    return MailMessage(to=to, template=MailKind.RESET_PASSWORD, values=values, locale=locale)


class WalkingClock(ManualClock):
    """Its short sleeps take their time."""

    async def sleep(self, seconds):
        if seconds < 5:
            self.advance(seconds=seconds)
        await super().sleep(seconds)


@dataclass
class Shelf:
    """The outbox table in memory; ``away`` names the operations that fail, each so many times."""

    letters: dict[Any, Letter] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    away: dict[str, int] = field(default_factory=dict)
    page_size: int = 25

    async def _call(self, name):
        self.calls.append(name)
        await asyncio.sleep(0)
        if self.away.get(name, 0) > 0:
            self.away[name] -= 1
            raise StoreUnavailable(f"{name} is away")

    async def put(self, action):
        await self._call("put")
        letter = from_item(action.item)
        self.letters[letter.place] = letter

    async def page(self, shard, *, start):
        await self._call("page")
        mine = sorted((one for one in self.letters.values() if one.place.shard == shard), key=_position)
        rest = [one for one in mine if start is None or _position(one) > start["sk"]]
        found = rest[: self.page_size]
        return tuple(found), {"sk": _position(found[-1])} if len(rest) > len(found) else None

    async def claim(self, letter, *, until_ms):
        await self._call("claim")
        stored = self.letters.get(letter.place)
        if stored is None or stored.claimed_until_ms != letter.claimed_until_ms:
            return None
        self.letters[letter.place] = replace(stored, claimed_until_ms=until_ms, tries=stored.tries + 1)
        return self.letters[letter.place]

    async def put_off(self, letter, *, at_ms, more_tries=0):
        await self._call("put_off")
        stored = self.letters.get(letter.place)
        if stored is not None and stored.claimed_until_ms == letter.claimed_until_ms:
            self.letters[letter.place] = replace(stored, claimed_until_ms=at_ms, tries=stored.tries + more_tries)

    async def remove(self, letter):
        await self._call("remove")
        self.letters.pop(letter.place, None)

    @property
    def only(self):
        (letter,) = self.letters.values()
        return letter


def _position(letter):
    return letter.place.position


@dataclass
class Carrier:
    """Takes mails; ``answers`` are errors to raise first, and while it is closed each mail waits in the hand-over."""

    answers: list[Exception] = field(default_factory=list)
    mails: list[Any] = field(default_factory=list)
    tries: int = 0
    under_way: int = 0
    most_at_once: int = 0
    closed: asyncio.Event | None = None

    def close(self):
        self.closed = asyncio.Event()

    def open(self):
        self.closed.set()

    async def send(self, mail):
        self.tries += 1
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(0)
            if self.closed is not None:
                await self.closed.wait()
            if self.answers:
                raise self.answers.pop(0)
            self.mails.append(mail)
        finally:
            self.under_way -= 1


@cache
def loaded_renderer():
    """A renderer that has compiled what it needs for ``message``, so that no mail waits for a thread."""
    renderer = Renderer(sender="no-reply@auth.example.com", service_name="Auth", template_folder=None)
    for locale in ("en", "de"):
        renderer.render(message(locale=locale), message_id="0")
    return renderer


def make_outbox(repo, sender, clock, *, seed="outbox", **fields):
    """An outbox of one process."""
    entropy = CountedEntropy(seed)
    return Outbox(
        repo=repo,
        seal=LetterSeal(master=MASTER, entropy=entropy),
        sender=sender,
        clock=clock,
        entropy=entropy,
        **{"retry": Retry(), "renderer": loaded_renderer(), **fields},
    )


async def settle():
    """Let what is under way in this loop go as far as it gets without time."""
    for _ in range(200):
        await asyncio.sleep(0)
