"""A replica that lags: whoever does not ask for a consistent read gets what stood there before the last write.

Engines on one machine have nothing of the kind, so the proxy stands in for it. It looks at each item before a write
changes it. An index, which is never consistent, lags likewise: it shows what was removed or changed as it was, also
under a key that the item has no longer, and nothing of what is new.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tests.support.store_wire import Message

    Send = Callable[[Message], Awaitable[Message]]

_WRITE_KINDS = ("Put", "Update", "Delete")
_EQUALITY = re.compile(r"(#?\w+) = (:\w+)")


@dataclass
class Replica:
    """``doubted`` are operations whose reads lag although they ask for consistency, as if they did not."""

    doubted: frozenset[str] = frozenset()
    stale: list[str] = field(default_factory=list)
    """The operations that were answered from old images, or would have been had there been one."""
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _indexes: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _before: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)

    async def serve(self, message: Message, send: Send) -> Message:
        """The answer to ``message`` by the store behind ``send``, or by this replica."""
        if message.is_write:
            return await self._write(message, send)
        match message.operation:
            case "GetItem" if self._lags(message.operation, message.value):
                return await self._get(message, send)
            case "BatchGetItem":
                return await self._batch(message, send)
            case "Query" | "Scan" if self._lags(message.operation, message.value):
                return await self._page(message, send)
            case _:
                return await send(message)

    def _lags(self, operation: str, asked: dict[str, Any]) -> bool:
        lags = operation in self.doubted or not asked.get("ConsistentRead", False)
        if lags:
            self.stale.append(operation)
        return lags

    async def _write(self, message: Message, send: Send) -> Message:
        images = {}
        for table, target in _targets(message):
            key = {name: target[name] for name in await self._key_names(table, message, send)}
            looking = message.asking("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
            images[table, _spelled(key)] = (await send(looking)).value.get("Item")
        answered = await send(message)
        if answered.is_ok:
            self._before |= images
        return answered

    async def _get(self, message: Message, send: Send) -> Message:
        answered, asked = await send(message), message.value
        place = (asked["TableName"], _spelled(asked["Key"]))
        if place not in self._before:
            return answered
        rest = {name: value for name, value in answered.value.items() if name != "Item"}
        image = self._before[place]
        return answered.with_value(rest if image is None else {**rest, "Item": image})

    async def _batch(self, message: Message, send: Send) -> Message:
        answered = await send(message)
        found = dict(answered.value["Responses"])
        for table, asked in message.value["RequestItems"].items():
            if self._lags(message.operation, asked):
                await self._key_names(table, message, send)
                places = {(table, _spelled(key)) for key in asked["Keys"]}
                found[table] = self._as_before(table, found.get(table, []), among=places)
        return answered.with_value({**answered.value, "Responses": found})

    async def _page(self, message: Message, send: Send) -> Message:
        answered, asked = await send(message), message.value
        table = asked["TableName"]
        await self._key_names(table, message, send)
        if "IndexName" in asked:
            named = self._indexes[table, asked["IndexName"]]
            sought = _sought(asked) if message.operation == "Query" else {}
            among = {
                place
                for place, image in self._before.items()
                if place[0] == table and image is not None and _is_shown(image, named, sought)
            }
            found = self._as_before(table, answered.value["Items"], among=among)
            found = [image for image in found if _is_shown(image, named, sought)]
        else:
            partition = self._keys[table][0]
            values = list(asked.get("ExpressionAttributeValues", {}).values())
            among = {
                place
                for place in self._before
                if place[0] == table and (message.operation == "Scan" or json.loads(place[1])[partition] in values)
            }
            found = self._as_before(table, answered.value["Items"], among=among)
        return answered.with_value({**answered.value, "Items": found, "Count": len(found)})

    def _as_before(
        self, table: str, found: Iterable[dict[str, Any]], *, among: set[tuple[str, str]]
    ) -> list[dict[str, Any]]:
        """What was found, and what was there and is not any more, each as it stood before."""
        now = {(table, _spelled({name: item[name] for name in self._keys[table]})): item for item in found}
        places = sorted(now.keys() | (among & self._before.keys()))
        images = [self._before.get(place, now.get(place)) for place in places]
        return [image for image in images if image is not None]

    async def _key_names(self, table: str, message: Message, send: Send) -> tuple[str, ...]:
        if table not in self._keys:
            described = (await send(message.asking("DescribeTable", {"TableName": table}))).value["Table"]
            self._keys[table] = _names(described)
            for index in described.get("GlobalSecondaryIndexes", []):
                assert index["Projection"]["ProjectionType"] == "ALL", "an index of less than all is not modelled"
                self._indexes[table, index["IndexName"]] = _names(index)
        return self._keys[table]


def _names(described: dict[str, Any]) -> tuple[str, ...]:
    schema = sorted(described["KeySchema"], key=lambda part: str(part["KeyType"]))
    return tuple(part["AttributeName"] for part in schema)


def _sought(asked: dict[str, Any]) -> dict[str, Any]:
    """The values of the keys that a query of an index asks for. Ranges, filters and pages are not modelled."""
    assert not {"FilterExpression", "ExclusiveStartKey"} & asked.keys()
    names, condition = asked.get("ExpressionAttributeNames", {}), asked["KeyConditionExpression"]
    parts = [_EQUALITY.fullmatch(part.strip()) for part in condition.split(" AND ")]
    assert all(parts), "only equality is modelled"
    return {names.get(part[1], part[1]): asked["ExpressionAttributeValues"][part[2]] for part in parts if part}


def _is_shown(image: dict[str, Any], named: tuple[str, ...], sought: dict[str, Any]) -> bool:
    """Whether an index by the attributes ``named`` shows the item to whoever seeks these values."""
    return all(name in image for name in named) and all(image[name] == value for name, value in sought.items())


def _targets(message: Message) -> list[tuple[str, dict[str, Any]]]:
    """The table, and the item or key, of each write of a request."""
    asked = message.value
    writes = [
        write for action in asked.get("TransactItems", []) for kind, write in action.items() if kind in _WRITE_KINDS
    ]
    return [
        (write["TableName"], write.get("Key") or write["Item"]) for write in writes or [asked] if "TableName" in write
    ]


def _spelled(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
