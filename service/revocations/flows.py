"""The feed as it is answered: what came after a cursor, signed, and the cursor to go on from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from service.errors import BadRequest
from service.revocations.statement import TYPE, Cursor, claims_of
from service.tokens.jws import sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.revocations.held import Held
    from service.revocations.items import Placed
    from service.revocations.model import FeedLife
    from service.revocations.window import Window
    from service.store.cursor import Cursors
    from service.tokens.keyring import KeyRing

_QUERY = "revocations"
_PAGE = 1000
_MAX_KEPT = 256


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A signed statement, and the entity tag of what it says beside its time and its next cursor."""

    text: str
    etag: str


@dataclass(kw_only=True)
class Feed:
    """Answers pollers. Those that ask from one place at one reading get the same bytes, signed once."""

    window: Window
    life: FeedLife
    cursors: Cursors
    keyring: KeyRing
    issuer: str
    page_size: int = _PAGE
    _held: Held | None = field(default=None, init=False)
    _texts: dict[str, Answer] = field(default_factory=dict, init=False)
    _sealed: dict[Cursor, str] = field(default_factory=dict, init=False)

    async def after(self, cursor_text: str | None) -> Answer:
        """What was ended since ``cursor_text`` was handed out; the whole window for None.

        Raises BadRequest for a cursor that is not ours, Unavailable when the feed cannot be read or no key can sign.
        """
        cursor = None if cursor_text is None else self._open(cursor_text)
        held = await self.window.read()
        if held is not self._held:
            self._held, self._texts, self._sealed = held, {}, {}
        known = self._texts.get(cursor_text or "")
        return known or await self._answer(held, cursor_text or "", cursor)

    def _open(self, text: str) -> Cursor:
        item = self.cursors.open(text, query=_QUERY)
        if item is None:
            raise BadRequest("cursor", code="invalid_cursor", title="This cursor does not belong to this list.")
        return Cursor(after=cast("str", item["after"]), through=cast("str | None", item["through"]))

    async def _answer(self, held: Held, cursor_text: str, cursor: Cursor | None) -> Answer:
        entries, more = held.after("" if cursor is None else cursor.after, limit=self.page_size)
        claims = claims_of(
            entries,
            issuer=self.issuer,
            cursor=cursor_text,
            following=self._seal(following(held, cursor, entries, more=more)),
            more=more,
            forgotten_ms=held.forgotten_ms,
            read_ms=held.read_ms,
            life=self.life,
        )
        text = sign(claims, signer=await self.keyring.signer(), typ=TYPE)
        answer = Answer(text=text, etag=etag_of(entries, more=more, forgotten_ms=held.forgotten_ms))
        if held is self._held and len(self._texts) < _MAX_KEPT:
            self._texts[cursor_text] = answer
        return answer

    def _seal(self, cursor: Cursor) -> str:
        if cursor not in self._sealed:
            self._sealed[cursor] = self.cursors.seal(vars(cursor), query=_QUERY)
        return self._sealed[cursor]


def following(held: Held, cursor: Cursor | None, entries: Sequence[Placed], *, more: bool) -> Cursor:
    """Where to go on. After the last page that is the floor of the first one, since its later entries may be late.

    Another process, whose clock is behind, may know a lower floor than the cursor's; the cursor's holds all the same.
    """
    through = held.floor if cursor is None else cursor.through or max(cursor.after, held.floor)
    if more:
        return Cursor(after=entries[-1][0], through=through)
    return Cursor(after=through, through=None)


def etag_of(entries: Sequence[Placed], *, more: bool, forgotten_ms: int | None) -> str:
    """The same for the same news: a poller that has heard it gets 304, though time has gone on."""
    said = "\n".join([*(place for place, _ in entries), str(more), str(forgotten_ms)])
    return f'W/"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
