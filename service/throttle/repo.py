"""Tallies in DynamoDB: one item a lane, one conditional update a change; the check is the write.

Item: ``k`` · ``w`` start of the current window (ms) · ``c`` and ``p`` failures in it and in the one before · ``lt`` the
last failure (ms) · ``ttl``. A write into the window that the item has is an ADD; the first of a new window moves
``c`` to ``p``, on condition that the item is still what was seen. A refusal brings the item as it is, for nothing, so
the next try knows better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.store.errors import ConditionFailed, Conflict
from service.store.operations import Get, Update
from service.store.table import Table
from service.throttle.model import EMPTY, Limited, Open, Tally, decide, level_room, rolled

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.kernel.entropy import Entropy
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo
    from service.throttle.lanes import Lane

_ATTEMPTS = 5
_TTL_SLACK_SECONDS = 60
_BUSY_MS = 1000
_TTL = {"#ttl": "ttl"}

_ADD = "SET lt = :now, #ttl = :ttl ADD c :n"
_OPEN_WINDOW = "SET w = :w, c = :n, p = :p, lt = :now, #ttl = :ttl"
_SAME_WINDOW = "w = :w"
_HAS_ROOM = "w = :w AND c < :room"
_IS_AS_SEEN = "w = :seen AND c = :seen_c"
_IS_FREE = "attribute_not_exists(k)"
_GIVE_BACK = "SET gb = :gb ADD c :minus"
_GIVE_BACK_PREVIOUS = "SET gb = :gb ADD p :minus"
_IS_NEWS = "(attribute_not_exists(gb) OR gb <> :gb)"
_HAS_CURRENT = f"w = :w AND c > :zero AND {_IS_NEWS}"
_HAS_PREVIOUS = f"w = :w AND p > :zero AND {_IS_NEWS}"
_NAME_BYTES = 8


def read(lane: Lane) -> Get:
    """The read of a lane's item, to stand in a batch with others."""
    return Get(table=Table.THROTTLE, key={"k": lane.key})


def parse(item: Item | None) -> Tally:
    """The tally in an item; no item is an empty one."""
    if item is None:
        return EMPTY
    fields = cast("dict[str, Any]", item)
    return Tally(start_ms=fields["w"], current=fields["c"], previous=fields["p"], last_ms=fields["lt"])


@dataclass(frozen=True, kw_only=True)
class TallyRepo:
    """The counters of the throttle table. ``seen`` is the tally that the caller last saw; a wrong one costs a write."""

    dynamo: Dynamo
    entropy: Entropy

    async def count(self, lane: Lane, amount: int, *, seen: Tally, now_ms: int) -> Tally:
        """Add ``amount`` failures, whatever the limit says. Answers the tally after it."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._write(_change(lane, seen, amount, now_ms=now_ms, room=None))
            except ConditionFailed as refusal:
                seen = parse(refusal.item)
        raise Conflict("throttle: the window moved at every try")

    async def reserve(self, lane: Lane, *, seen: Tally, now_ms: int, held: Callable[[], int]) -> Tally | Limited:
        """Write one attempt down as failed before it is made, if the limit lets it; its refusal is the answer.

        ``held`` is how many attempts this process has made, or lets others make, that are not written yet.
        """
        is_current = False
        for _ in range(_ATTEMPTS):
            decision = decide(seen, now_ms, lane.limit)
            if is_current and isinstance(decision, Limited):
                return decision
            level = decision.room if isinstance(decision, Open) else level_room(seen, now_ms, lane.limit)
            room = level - held()
            if room <= 0 or (is_current and room <= rolled(seen, now_ms, lane.limit).current):
                return Limited(until_ms=now_ms + _BUSY_MS)
            try:
                return await self._write(_change(lane, seen, 1, now_ms=now_ms, room=room))
            except ConditionFailed as refusal:
                seen, is_current = parse(refusal.item), True
        raise Conflict("throttle: the window moved at every try")

    async def release(self, lane: Lane, reserved: Tally) -> Tally | None:
        """Take back a reservation, ``reserved`` being what it answered. None when its windows are over.

        The client sends a write again whose answer was lost. It has a name, so that it is not served twice: that would
        take somebody's failure away with the reservation.
        """
        name = self.entropy.token_bytes(_NAME_BYTES)
        tries = (
            (_GIVE_BACK, _HAS_CURRENT, reserved.start_ms),
            (_GIVE_BACK_PREVIOUS, _HAS_PREVIOUS, reserved.start_ms + lane.limit.window_ms),
        )
        for update, condition, start_ms in tries:
            values: dict[str, Value] = {":minus": -1, ":zero": 0, ":w": start_ms, ":gb": name}
            operation = Update(
                table=Table.THROTTLE, key={"k": lane.key}, update=update, condition=condition, values=values
            )
            try:
                return await self._write(operation)
            except ConditionFailed as refusal:
                if refusal.item is not None and refusal.item.get("gb") == name:
                    return parse(refusal.item)
                if parse(refusal.item).start_ms == reserved.start_ms:
                    return None
        return None

    async def _write(self, operation: Update) -> Tally:
        return parse(await self.dynamo.write(operation))


def _change(lane: Lane, seen: Tally, amount: int, *, now_ms: int, room: int | None) -> Update:
    here = rolled(seen, now_ms, lane.limit)
    ttl = (here.start_ms + 2 * lane.limit.window_ms) // 1000 + _TTL_SLACK_SECONDS
    values: dict[str, Any] = {":w": here.start_ms, ":n": amount, ":now": now_ms, ":ttl": ttl}
    if here.start_ms == seen.start_ms:
        update, condition = _ADD, _SAME_WINDOW if room is None else _HAS_ROOM
        values |= {} if room is None else {":room": room}
    else:
        update = _OPEN_WINDOW
        condition = _IS_FREE if seen.start_ms == 0 else _IS_AS_SEEN
        values |= {":p": here.previous}
        values |= {} if seen.start_ms == 0 else {":seen": seen.start_ms, ":seen_c": seen.current}
    return Update(
        table=Table.THROTTLE,
        key={"k": lane.key},
        update=update,
        condition=condition,
        values=values,
        names=_TTL,
    )
