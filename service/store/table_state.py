"""What DynamoDB says of a table, as a value; and how long to wait between two looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 2.0
_KEY_SETTLED = frozenset({"ENABLED", "DISABLED"})


@dataclass(frozen=True)
class KeyAttribute:
    """A key's attribute: its name, and S, N or B."""

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.name} {self.kind}"


@dataclass(frozen=True, kw_only=True)
class TableState:
    """A table as it is. ``kms_key`` is the ARN of the customer's key, None under AWS's own."""

    keys: tuple[KeyAttribute, ...]
    billing: str
    protected: bool
    kms_key: str | None
    indexes: frozenset[str]
    item_count: int
    settled: bool


def parse_table(description: Mapping[str, Any]) -> TableState:
    """The value of DescribeTable's answer."""
    kinds = {entry["AttributeName"]: entry["AttributeType"] for entry in description["AttributeDefinitions"]}
    schema = sorted(description["KeySchema"], key=lambda entry: str(entry["KeyType"]))
    encryption = description.get("SSEDescription") or {"Status": "DISABLED"}
    indexes = [*description.get("GlobalSecondaryIndexes", []), *description.get("LocalSecondaryIndexes", [])]
    return TableState(
        keys=tuple(KeyAttribute(entry["AttributeName"], kinds[entry["AttributeName"]]) for entry in schema),
        billing=description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        protected=bool(description.get("DeletionProtectionEnabled", False)),
        kms_key=encryption.get("KMSMasterKeyArn") if encryption["Status"] != "DISABLED" else None,
        indexes=frozenset(index["IndexName"] for index in indexes),
        item_count=int(description.get("ItemCount", 0)),
        settled=description["TableStatus"] == "ACTIVE" and encryption["Status"] in _KEY_SETTLED,
    )


def backoff_seconds(patience_seconds: float) -> Iterator[float]:
    """Growing delays, which together do not exceed ``patience_seconds`` by more than one."""
    waited, delay = 0.0, _FIRST_DELAY_SECONDS
    while waited < patience_seconds:
        yield delay
        waited += delay
        delay = min(delay * 2, _LONGEST_DELAY_SECONDS)
