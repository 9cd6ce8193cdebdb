"""DynamoDB operations as values: they can be printed, compared in tests, and put into a transaction unchanged.

Expressions are constants of the repositories; only values vary. There is no scan and no index among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.store.codec import encode_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.store.codec import Value
    from service.store.table import Table, TableNames

Request = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Get:
    """A strongly consistent read of one item."""

    table: Table
    key: Mapping[str, Value]

    def request(self, names: TableNames) -> Request:
        """The arguments of GetItem."""
        return {"TableName": names.of(self.table), "Key": encode_item(self.key), "ConsistentRead": True}


@dataclass(frozen=True, kw_only=True)
class Query:
    """A strongly consistent read of one partition, in key order. ``limit`` bounds a page."""

    table: Table
    condition: str
    values: Mapping[str, Value]
    limit: int
    start: Mapping[str, Value] | None = None
    forward: bool = True

    def request(self, names: TableNames) -> Request:
        """The arguments of Query."""
        request: Request = {
            "TableName": names.of(self.table),
            "KeyConditionExpression": self.condition,
            "ExpressionAttributeValues": encode_item(self.values),
            "ConsistentRead": True,
            "Limit": self.limit,
            "ScanIndexForward": self.forward,
        }
        if self.start is not None:
            request["ExclusiveStartKey"] = encode_item(self.start)
        return request


@dataclass(frozen=True, kw_only=True)
class _Conditional:
    table: Table
    condition: str = ""
    values: Mapping[str, Value | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def _common(self, names: TableNames) -> Request:
        request: Request = {"TableName": names.of(self.table)}
        if self.condition:
            request["ConditionExpression"] = self.condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values := encode_item(self.values):
            request["ExpressionAttributeValues"] = values
        if self.names:
            request["ExpressionAttributeNames"] = dict(self.names)
        return request


@dataclass(frozen=True, kw_only=True)
class Put(_Conditional):
    """Write a whole item."""

    item: Mapping[str, Value | None]

    def request(self, names: TableNames) -> Request:
        """The arguments of PutItem, and of a transaction's Put."""
        return {**self._common(names), "Item": encode_item(self.item)}


@dataclass(frozen=True, kw_only=True)
class Update(_Conditional):
    """Change attributes of one item."""

    key: Mapping[str, Value]
    update: str

    def request(self, names: TableNames) -> Request:
        """The arguments of UpdateItem, and of a transaction's Update."""
        return {**self._common(names), "Key": encode_item(self.key), "UpdateExpression": self.update}


@dataclass(frozen=True, kw_only=True)
class Delete(_Conditional):
    """Remove one item."""

    key: Mapping[str, Value]

    def request(self, names: TableNames) -> Request:
        """The arguments of DeleteItem, and of a transaction's Delete."""
        return {**self._common(names), "Key": encode_item(self.key)}


@dataclass(frozen=True, kw_only=True)
class Check(_Conditional):
    """Refuse the transaction unless an item is as the condition says."""

    key: Mapping[str, Value]

    def request(self, names: TableNames) -> Request:
        """The arguments of a transaction's ConditionCheck."""
        return {**self._common(names), "Key": encode_item(self.key)}


Write = Put | Update | Delete
TransactWrite = Put | Update | Delete | Check
