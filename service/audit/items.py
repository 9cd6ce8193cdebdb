"""A kept event to its DynamoDB items and back; always below 1 KB, so that one item is one write unit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from service.audit.entry import KeptEvent, actor_text
from service.audit.keeping import places
from service.kernel.ids import SessionId, UserId

if TYPE_CHECKING:
    from service.audit.entry import Entry
    from service.store.codec import Item, Value

FEED_SHARDS = 16

_ADDRESS_BYTES = 64
_USER_AGENT_BYTES = 240
_REQUEST_ID_BYTES = 64
_OUTCOME_BYTES = 64


def user_partition(user_id: UserId) -> str:
    """The partition of a user's events."""
    return f"u#{bytes(user_id).hex()}"


def feed_partition(day: str, shard: int) -> str:
    """One of the partitions of a day (``yyyymmdd``, UTC) of the feed."""
    return f"d#{day}#{shard:x}"


def nobodys_partition(day: str, shard: int) -> str:
    """One of the partitions of a day of what happened to no account: names that are nobody's, sign-ups."""
    return f"n#{day}#{shard:x}"


def day_of(time_ms: int) -> str:
    """The day of the feed that a time falls on."""
    return datetime.fromtimestamp(time_ms // 1000, tz=UTC).strftime("%Y%m%d")


def to_items(entry: Entry, *, retention_seconds: int) -> list[dict[str, Value | None]]:
    """One item for each place of the event: none, its user's partition or nobody's, the feed, or two of them."""
    where, body = places(entry.event), _body(entry, retention_seconds)
    partitions = []
    if where.user and entry.event.user_id is not None:
        partitions.append(user_partition(entry.event.user_id))
    # The last character of the id is chance, so a burst spreads over all shards.
    day, shard = day_of(entry.time_ms), int(entry.event_id[-1], FEED_SHARDS)
    if where.feed:
        partitions.append(feed_partition(day, shard))
    if where.nobody:
        partitions.append(nobodys_partition(day, shard))
    return [{"pk": partition, **body} for partition in partitions]


def from_item(item: Item) -> KeptEvent:
    """The event of ``item``."""
    raw = cast("dict[str, Any]", item)
    return KeptEvent(
        event_id=raw["sk"],
        time_ms=int(raw["sk"].partition("#")[0]),
        kind=raw["kd"],
        outcome=raw["oc"],
        user_id=UserId(raw["uid"]) if "uid" in raw else None,
        session_id=SessionId(raw["sid"]) if "sid" in raw else None,
        actor=raw.get("ac"),
        address=raw.get("ip"),
        user_agent=raw.get("ua"),
        request_id=raw.get("rq"),
        alarming=raw.get("al", False),
    )


def is_kept(item: Item, *, now_ms: int) -> bool:
    """Whether the event's retention has not ended; DynamoDB collects it some days after that."""
    return cast("int", item["ttl"]) * 1000 > now_ms


def _body(entry: Entry, retention_seconds: int) -> dict[str, Value | None]:
    event, facts = entry.event, entry.facts
    return {
        "sk": entry.event_id,
        "kd": event.kind.value,
        "oc": _cut(event.outcome, _OUTCOME_BYTES),
        "uid": event.user_id,
        "sid": event.session_id,
        "ac": actor_text(event),
        "ip": _cut(facts.address, _ADDRESS_BYTES),
        "ua": _cut(facts.user_agent, _USER_AGENT_BYTES),
        "rq": _cut(facts.request_id, _REQUEST_ID_BYTES),
        "al": event.alarming or None,
        "ttl": entry.time_ms // 1000 + retention_seconds,
    }


def _cut(text: str | None, size_bytes: int) -> str | None:
    """At most ``size_bytes`` bytes of UTF-8, ending between two characters."""
    return None if text is None else text.encode("utf-8", "replace")[:size_bytes].decode("utf-8", "ignore")
