"""The outbox in DynamoDB. A claim is a conditional write: who holds it may send until it ends, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.mail.letter import Place
from service.store.errors import ConditionFailed
from service.store.operations import Delete, Put, Query, Update
from service.store.table import Table

if TYPE_CHECKING:
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo

_PAGE = 25
_OF_SHARD = "pk = :pk"
_IS_FREE = "nx = :seen"
_IS_MINE = "nx = :mine"
_CLAIM = "SET nx = :until, tries = tries + :one"
_PUT_OFF = "SET nx = :at, tries = tries + :more"
_KEEP_SECONDS = 3 * 86_400


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A stored letter. ``claimed_until_ms`` is when the next try may begin, by whoever claims it first."""

    place: Place
    sealed: bytes
    tries: int
    claimed_until_ms: int


def put_letter(letter: Letter, *, now_ms: int) -> Put:
    """The action that announces a mail: alone, or in the transaction of what it announces."""
    item: dict[str, Value | None] = {
        **_key(letter.place),
        "bx": letter.sealed,
        "tries": letter.tries,
        "nx": letter.claimed_until_ms,
        "ttl": now_ms // 1000 + _KEEP_SECONDS,
    }
    return Put(table=Table.OUTBOX, item=item)


@dataclass(frozen=True, kw_only=True)
class OutboxRepo:
    """The outbox table."""

    dynamo: Dynamo

    async def put(self, action: Put) -> None:
        """Announce a mail on its own; ``action`` is of ``put_letter``."""
        await self.dynamo.write(action)

    async def page(self, shard: str, *, start: Item | None) -> tuple[tuple[Letter, ...], Item | None]:
        """Some letters of a shard, the oldest first, and where to go on."""
        page = await self.dynamo.query(
            Query(table=Table.OUTBOX, condition=_OF_SHARD, values={":pk": shard}, limit=_PAGE, start=start)
        )
        return tuple(from_item(item) for item in page.items), page.next_start

    async def claim(self, letter: Letter, *, until_ms: int) -> Letter | None:
        """The letter, claimed; None when another was faster, or it has left."""
        try:
            item = await self.dynamo.write(
                Update(
                    table=Table.OUTBOX,
                    key=_key(letter.place),
                    update=_CLAIM,
                    condition=_IS_FREE,
                    values={":seen": letter.claimed_until_ms, ":until": until_ms, ":one": 1},
                )
            )
        except ConditionFailed:
            return None
        return from_item(item or {})

    async def put_off(self, letter: Letter, *, at_ms: int, more_tries: int = 0) -> None:
        """Give the claim back: the next try may begin at ``at_ms``. Nothing when the claim had run out.

        ``more_tries`` is what the failed one counts beyond itself.
        """
        try:
            await self.dynamo.write(
                Update(
                    table=Table.OUTBOX,
                    key=_key(letter.place),
                    update=_PUT_OFF,
                    condition=_IS_MINE,
                    values={":mine": letter.claimed_until_ms, ":at": at_ms, ":more": more_tries},
                )
            )
        except ConditionFailed:
            return

    async def remove(self, letter: Letter) -> None:
        """It has left."""
        await self.dynamo.write(Delete(table=Table.OUTBOX, key=_key(letter.place)))


def _key(place: Place) -> dict[str, Value]:
    return {"pk": place.shard, "sk": place.position}


def from_item(item: Item) -> Letter:
    """The letter of an item."""
    raw = cast("dict[str, Any]", item)
    return Letter(
        place=Place(shard=raw["pk"], position=raw["sk"]),
        sealed=raw["bx"],
        tries=raw["tries"],
        claimed_until_ms=raw["nx"],
    )
