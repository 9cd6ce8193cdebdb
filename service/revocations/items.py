"""An entry to its DynamoDB item and back: some 80 bytes, so that one read unit brings about fifty.

The sort key is the place in the feed and says it all: the time in 13 digits, the kind, the id, and of a user the epoch.
As text it sorts by time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never, cast

from service.kernel.ids import ID_BYTES, SessionId, UserId
from service.revocations.model import SHARDS, Entry, SessionEnded, UserEnded, bucket_of

if TYPE_CHECKING:
    from service.store.codec import Item, Value

_SESSION, _USER = "s", "u"
_DIGITS = 13
_ID_AT = _DIGITS + 1
_EPOCH_AT = _ID_AT + 2 * ID_BYTES


def place_of(at_ms: int) -> str:
    """A place before every entry of ``at_ms`` and after every one before it."""
    return f"{at_ms:0{_DIGITS}d}"


def time_of(place: str) -> int:
    """The time of a place, milliseconds."""
    return int(place[:_DIGITS])


def place(entry: Entry) -> str:
    """Where ``entry`` stands in the feed; no two different ones have one place."""
    match entry:
        case SessionEnded(session_id=session_id):
            return f"{place_of(entry.at_ms)}{_SESSION}{session_id.hex()}"
        case UserEnded(user_id=user_id, epoch=epoch):
            return f"{place_of(entry.at_ms)}{_USER}{user_id.hex()}{epoch}"
        case _:
            assert_never(entry)


def partition(bucket: int, shard: int) -> str:
    """One of a bucket's partitions."""
    return f"{bucket}#{shard}"


def to_item(entry: Entry, *, retain_seconds: int) -> dict[str, Value | None]:
    """The item of ``entry``. The shard comes from the last byte of the id, which is chance."""
    where = place(entry)
    shard = int(where[_EPOCH_AT - 2 : _EPOCH_AT], 16) % SHARDS
    return {
        "pk": partition(bucket_of(entry.at_ms), shard),
        "sk": where,
        "kp": entry.kept if isinstance(entry, UserEnded) else None,
        "ttl": entry.at_ms // 1000 + retain_seconds,
    }


def from_item(item: Item) -> Entry:
    """The entry of ``item``."""
    where = cast("str", item["sk"])
    at_ms, identifier = time_of(where), bytes.fromhex(where[_ID_AT:_EPOCH_AT])
    if where[_DIGITS] == _SESSION:
        return SessionEnded(session_id=SessionId(identifier), at_ms=at_ms)
    kept = cast("bytes | None", item.get("kp"))
    return UserEnded(
        user_id=UserId(identifier),
        epoch=int(where[_EPOCH_AT:]),
        kept=None if kept is None else SessionId(kept),
        at_ms=at_ms,
    )
