"""An entry to its DynamoDB item, and the item to what the feed says of it: some 80 bytes, fifty for a read unit.

The sort key is the place in the feed and says almost all: the time in 13 digits, the kind, the id, and of a user the
epoch. As text it sorts by time. Readers keep it as it is, since there may be a hundred thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never, cast

from service.kernel.ids import ID_BYTES
from service.revocations.model import SHARDS, Entry, SessionEnded, UserEnded, bucket_of

if TYPE_CHECKING:
    from service.store.codec import Item, Value

Placed = tuple[str, bytes | None]
"""An entry as it is read: its place, and the session that a user keeps."""

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


def from_item(item: Item) -> Placed:
    """The entry of ``item``."""
    return cast("str", item["sk"]), cast("bytes | None", item.get("kp"))


def is_session(place: str) -> bool:
    """Whether the entry of ``place`` ends one session, and not a user's."""
    return place[_DIGITS] == _SESSION


def id_of(place: str) -> str:
    """The id of the session or user, in its wire form."""
    return _wire(place[_ID_AT:_EPOCH_AT])


def epoch_of(place: str) -> int:
    """The epoch below which a user's tokens are dead."""
    return int(place[_EPOCH_AT:])


def kept_of(kept: bytes | None) -> str | None:
    """The session that a user keeps, in its wire form."""
    return None if kept is None else _wire(kept.hex())


def _wire(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
