"""Signing keys in DynamoDB: a partition an algorithm, a slot a key, and the first write of a slot wins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from service.store.errors import ConditionFailed
from service.store.operations import Put, Query, Update
from service.store.table import Table
from service.tokens.model import Algorithm, KeyRecord

if TYPE_CHECKING:
    from service.store.codec import Item, Value
    from service.store.dynamo import Dynamo

_PAGE = 200
_OF_ALGORITHM = "use_alg = :use_alg"
_IS_FREE = "attribute_not_exists(use_alg)"
_EXISTS = "attribute_exists(use_alg)"
_MARK_BAD = "SET bad = :true"


@dataclass(frozen=True, kw_only=True)
class KeyRepo:
    """The keys table."""

    dynamo: Dynamo

    async def all(self) -> tuple[KeyRecord, ...]:
        """Every key of every algorithm, the oldest slot first."""
        records: list[KeyRecord] = []
        for algorithm in Algorithm:
            start: Item | None = None
            while True:
                page = await self.dynamo.query(
                    Query(
                        table=Table.KEYS,
                        condition=_OF_ALGORITHM,
                        values={":use_alg": _partition(algorithm)},
                        limit=_PAGE,
                        start=start,
                    )
                )
                records += [_from_item(item) for item in page.items]
                start = page.next_start
                if start is None:
                    break
        return tuple(records)

    async def add(self, record: KeyRecord) -> bool:
        """Put a key into its slot. False when the slot was taken: then another process made the key."""
        try:
            await self.dynamo.write(Put(table=Table.KEYS, item=_to_item(record), condition=_IS_FREE))
        except ConditionFailed as refusal:
            return refusal.item is not None and _from_item(refusal.item) == record
        return True

    async def mark_bad(self, record: KeyRecord) -> bool:
        """Take a key out of use at once. False when there is no such key."""
        try:
            await self.dynamo.write(
                Update(
                    table=Table.KEYS,
                    key={"use_alg": _partition(record.algorithm), "slot": record.slot},
                    update=_MARK_BAD,
                    condition=_EXISTS,
                    values={":true": True},
                )
            )
        except ConditionFailed:
            return False
        return True


def _partition(algorithm: Algorithm) -> str:
    return f"sig#{algorithm.value}"


def _to_item(record: KeyRecord) -> dict[str, Value | None]:
    return {
        "use_alg": _partition(record.algorithm),
        "slot": record.slot,
        "kid": record.kid,
        "nb": record.begins_ms,
        "ct": record.created_ms,
        "pk": record.wrapped,
        "jwk": json.dumps(dict(record.public_jwk), separators=(",", ":"), sort_keys=True),
        "bad": record.bad,
    }


def _from_item(item: Item) -> KeyRecord:
    raw = cast("dict[str, Any]", item)
    return KeyRecord(
        algorithm=Algorithm(raw["use_alg"].removeprefix("sig#")),
        slot=raw["slot"],
        kid=raw["kid"],
        begins_ms=raw["nb"],
        created_ms=raw["ct"],
        wrapped=raw["pk"],
        public_jwk=json.loads(raw["jwk"]),
        bad=raw["bad"],
    )
