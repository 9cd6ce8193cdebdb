"""The port to DynamoDB's control plane, and the one place that may scan a table. Only migrations use it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from service.store.codec import decode_item, encode_item
from service.store.errors import StoreUnavailable
from service.store.failures import translate
from service.store.table_state import KeyAttribute, TableState, backoff_seconds, parse_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.kernel.clock import Clock
    from service.store.codec import Item
    from service.store.table import TableNames

# DynamoDB refuses a change while another is under way, and backups for a moment after a table was created.
_BUSY = frozenset(
    {
        "ContinuousBackupsUnavailableException",
        "LimitExceededException",
        "ResourceInUseException",
        "ThrottlingException",
    }
)
_EXISTS = "ResourceInUseException"
_ABSENT = "ResourceNotFoundException"
_TTL_ON = frozenset({"ENABLED", "ENABLING"})


class ControlRefused(StoreUnavailable):
    """DynamoDB refused a control-plane call; ``refusal`` is its error code."""

    def __init__(self, operation: str, refusal: str) -> None:
        super().__init__(f"{operation}: {refusal}")
        self.operation = operation
        self.refusal = refusal


@dataclass(frozen=True, kw_only=True)
class ScanPage:
    """One page of one segment, and the read units it consumed.

    Items are as DynamoDB sent them: one that cannot be decoded must not hide the rest.
    """

    raw_items: tuple[Mapping[str, Any], ...]
    next_start: Item | None
    units: float


@dataclass(frozen=True, kw_only=True)
class Control:
    """Creates and changes tables, named without their prefix. A call ends within ``deadline_seconds``.

    A change that DynamoDB works on is waited for at most ``patience_seconds``. Every method may raise ControlRefused
    and StoreUnavailable.
    """

    client: Any
    names: TableNames
    clock: Clock
    deadline_seconds: float
    patience_seconds: float = 600.0

    def full_name(self, table: str) -> str:
        """The name of ``table`` with the deployment's prefix."""
        return f"{self.names.prefix}-{table}"

    async def describe(self, table: str) -> TableState | None:
        """What the table is, or None when there is none."""
        try:
            answer = await self._call("describe_table", table)
        except ControlRefused as error:
            if error.refusal == _ABSENT:
                return None
            raise
        return parse_table(answer["Table"])

    async def create(
        self, table: str, keys: Sequence[KeyAttribute], *, protected: bool, kms_key_id: str | None
    ) -> bool:
        """Create an on-demand table; False when it was there already. Returns before the table is active."""
        request: dict[str, Any] = {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": key.name, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            "AttributeDefinitions": [{"AttributeName": key.name, "AttributeType": key.kind} for key in keys],
        }
        if protected:
            request["DeletionProtectionEnabled"] = True
        if kms_key_id is not None:
            request["SSESpecification"] = _customer_key(kms_key_id)
        try:
            await self._patiently("create_table", table, request, busy=_BUSY - {_EXISTS})
        except ControlRefused as error:
            if error.refusal == _EXISTS:
                return False
            raise
        return True

    async def wait_until_active(self, table: str) -> TableState:
        """The table as soon as nothing is under way on it; at once, without sleeping, when that is now."""
        for delay_seconds in backoff_seconds(self.patience_seconds):
            # Descriptions are eventually consistent: a table just created may not be there yet.
            state = await self.describe(table)
            if state is not None and state.settled:
                return state
            await self.clock.sleep(delay_seconds)
        raise StoreUnavailable(f"table {self.full_name(table)} did not become active")

    async def protect(self, table: str) -> None:
        """Turn deletion protection on."""
        await self._patiently("update_table", table, {"DeletionProtectionEnabled": True})

    async def encrypt(self, table: str, kms_key_id: str) -> None:
        """Encrypt with a customer's key."""
        await self._patiently("update_table", table, {"SSESpecification": _customer_key(kms_key_id)})

    async def ttl_attribute(self, table: str) -> str | None:
        """The attribute by which items expire, None when they do not."""
        answer = await self._call("describe_time_to_live", table)
        description = answer["TimeToLiveDescription"]
        return description["AttributeName"] if description.get("TimeToLiveStatus") in _TTL_ON else None

    async def enable_ttl(self, table: str, attribute: str) -> None:
        """Let items expire by ``attribute`` (seconds since the epoch). DynamoDB allows one change an hour."""
        specification = {"Enabled": True, "AttributeName": attribute}
        await self._patiently("update_time_to_live", table, {"TimeToLiveSpecification": specification})

    async def has_pitr(self, table: str) -> bool:
        """Whether the table can be restored to a point in time."""
        answer = await self._call("describe_continuous_backups", table)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")

    async def enable_pitr(self, table: str) -> None:
        """Turn point-in-time recovery on."""
        specification = {"PointInTimeRecoveryEnabled": True}
        await self._patiently("update_continuous_backups", table, {"PointInTimeRecoverySpecification": specification})

    async def scan(self, table: str, *, segment: int, segments: int, limit: int, start: Item | None) -> ScanPage:
        """One page of one of ``segments`` parallel scans, strongly consistent."""
        request: dict[str, Any] = {"Limit": limit, "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}
        if segments > 1:
            request |= {"Segment": segment, "TotalSegments": segments}
        if start is not None:
            request["ExclusiveStartKey"] = encode_item(start)
        answer = await self._call("scan", table, request)
        last = answer.get("LastEvaluatedKey")
        return ScanPage(
            raw_items=tuple(answer["Items"]),
            next_start=decode_item(last) if last else None,
            units=float(answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)),
        )

    async def _patiently(
        self, operation: str, table: str, request: dict[str, Any], *, busy: frozenset[str] = _BUSY
    ) -> None:
        for delay_seconds in backoff_seconds(self.patience_seconds):
            try:
                await self._call(operation, table, request)
            except ControlRefused as error:
                if error.refusal not in busy:
                    raise
            else:
                return
            await self.clock.sleep(delay_seconds)
        await self._call(operation, table, request)

    async def _call(self, operation: str, table: str, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.deadline_seconds):
                answer: dict[str, Any] = await getattr(self.client, operation)(
                    TableName=self.full_name(table), **(request or {})
                )
        except TimeoutError as error:
            raise StoreUnavailable(f"{operation} ran past its deadline") from error
        except ClientError as error:
            raise ControlRefused(operation, error.response.get("Error", {}).get("Code", "")) from error
        except Exception as error:
            raise translate(operation, error) from error
        return answer


def _customer_key(kms_key_id: str) -> dict[str, Any]:
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": kms_key_id}
