"""The table on boto3, and the one door to it. Expressions are constants; the check is the condition of the write."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3  # type: ignore[import-untyped]
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from keyturn.websession.errors import SessionUnavailable
from keyturn.websession.ids import SESSION_PREFIX, Key
from keyturn.websession.port import Exchanged, Record, Replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_SECONDS: Final = 1
READ_SECONDS: Final = 2
ATTEMPTS: Final = 3
CONNECTIONS: Final = 32

_MOST_CONFLICTS: Final = 10

_REFUSED: Final = "ConditionalCheckFailedException"
_CANCELLED: Final = "TransactionCanceledException"
_CONFLICT: Final = "TransactionConflictException"
# The order of the conditions in an exchange.
_OUTCOMES: Final = (Exchanged.OLD_IS_OVER, Exchanged.KEY_IS_TAKEN)


def connect(*, region: str | None = None, endpoint_url: str | None = None, attempts: int = ATTEMPTS) -> Any:
    """A client with short deadlines, for as many threads as like. AWS's variables and chain fill in what is not given.

    A request that gets no answer is given up after about ten seconds, all three ``attempts`` together.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    # boto3 alone reads AWS_DEFAULT_REGION only.
    region = region or os.environ.get("AWS_REGION")
    return boto3.client("dynamodb", region_name=region, endpoint_url=endpoint_url, config=config)


@dataclass(frozen=True, kw_only=True)
class DynamoSessionTable:
    """``port.SessionTable`` on a client of boto3, which is safe between threads."""

    name: str
    client: Any = field(repr=False)

    def get(self, key: Key) -> Record | None:
        """GetItem, strongly consistent: what was ended is gone for every reader."""
        item = self._call("get_item", Key=_key(key), ConsistentRead=True).get("Item")
        return None if item is None else _record(item)

    def create(self, record: Record) -> bool:
        """PutItem, where the key is free."""
        try:
            self._call("put_item", Item=_item(record), ConditionExpression="attribute_not_exists(pk)")
        except _Refused:
            return False
        return True

    def replace(self, record: Record, *, version: int, now_ms: int) -> Replaced:
        """UpdateItem, where the item is there, unchanged and alive. An update alone would bring back what was ended."""
        try:
            self._call(
                "update_item",
                Key=_key(record.key),
                UpdateExpression="SET p = :p, v = :next, ix = :ix, #ttl = :ttl",
                ConditionExpression="v = :v AND ix > :now AND ax > :now",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":p": {"B": record.payload},
                    ":next": _number(record.version),
                    ":ix": _number(record.idle_expires_ms),
                    ":ttl": _number(record.ttl),
                    ":v": _number(version),
                    ":now": _number(now_ms),
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _Refused as refused:
            return Replaced(done=False, found=None if refused.item is None else _record(refused.item))
        return Replaced(done=True)

    def exchange(self, old: Key, successor: Record, *, now_ms: int) -> Exchanged:
        """TransactWriteItems. The client's own retry carries the same token, so it is not refused by its own write."""
        delete = {
            "TableName": self.name,
            "Key": _key(old),
            "ConditionExpression": "ix > :now AND ax > :now",
            "ExpressionAttributeValues": {":now": _number(now_ms)},
        }
        put = {"TableName": self.name, "Item": _item(successor), "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._send("transact_write_items", TransactItems=[{"Delete": delete}, {"Put": put}])
        except _Cancelled as cancelled:
            return cancelled.outcome
        return Exchanged.DONE

    def delete(self, key: Key) -> bool:
        """DeleteItem: nothing is left that a late write could change."""
        return "Attributes" in self._call("delete_item", Key=_key(key), ReturnValues="ALL_OLD")

    def of_partition(self, pk: str) -> Iterator[Record]:
        """Query of the table itself, strongly consistent, to the last page."""
        start: dict[str, Any] = {}
        while True:
            page = self._call(
                "query",
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": SESSION_PREFIX}},
                ConsistentRead=True,
                **start,
            )
            yield from map(_record, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def epoch(self, key: Key) -> int:
        """GetItem of a marker, strongly consistent."""
        item = self._call("get_item", Key=_key(key), ConsistentRead=True).get("Item", {})
        return int(item["n"]["N"]) if item else 0

    def raise_epoch(self, key: Key) -> None:
        """UpdateItem of a marker. The client's own retry may count twice, which ends nothing more."""
        self._call(
            "update_item",
            Key=_key(key),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": _number(1)},
        )

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._send(operation, TableName=self.name, **arguments)

    def _send(self, operation: str, **arguments: Any) -> dict[str, Any]:
        # The one place that judges errors: all but a refused condition mean that nothing is known.
        for _ in range(_MOST_CONFLICTS):
            try:
                answer: dict[str, Any] = getattr(self.client, operation)(**arguments)
            except ClientError as error:
                _judge(error, operation)
            except BotoCoreError as error:
                raise SessionUnavailable(f"DynamoDB did not answer {operation}: {type(error).__name__}") from error
            else:
                return answer
        raise SessionUnavailable(f"DynamoDB refused {operation}: other requests write the same items all the time")


class _Refused(Exception):
    """A condition did not hold; ``item`` is what is there, where that was asked for."""

    def __init__(self, item: Any) -> None:
        super().__init__("the condition does not hold")
        self.item: dict[str, Any] | None = item or None


class _Cancelled(Exception):
    """A condition of a transaction did not hold."""

    def __init__(self, outcome: Exchanged) -> None:
        super().__init__("the transaction was cancelled")
        self.outcome = outcome


def _judge(error: ClientError, operation: str) -> None:
    """Raises what ``error`` means; returns where two transactions met and another try is the answer.

    The client itself does not try those again.
    """
    code = error.response.get("Error", {}).get("Code", "")
    if code == _REFUSED:
        raise _Refused(dict(error.response).get("Item")) from None
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    for reason, outcome in zip(reasons, _OUTCOMES, strict=False):
        if reason == "ConditionalCheckFailed":
            raise _Cancelled(outcome) from None
    if code != _CONFLICT and not (code == _CANCELLED and "TransactionConflict" in reasons):
        raise SessionUnavailable(f"DynamoDB refused {operation}: {code}") from error


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _item(record: Record) -> dict[str, Any]:
    return _key(record.key) | {
        "p": {"B": record.payload},
        "v": _number(record.version),
        "cr": _number(record.created_ms),
        "ep": _number(record.epoch),
        "ix": _number(record.idle_expires_ms),
        "ax": _number(record.expires_ms),
        "ttl": _number(record.ttl),
    }


def _record(item: Mapping[str, Any]) -> Record:
    return Record(
        key=Key(item["pk"]["S"], item["sk"]["S"]),
        payload=bytes(item["p"]["B"]),
        version=int(item["v"]["N"]),
        created_ms=int(item["cr"]["N"]),
        epoch=int(item["ep"]["N"]),
        idle_expires_ms=int(item["ix"]["N"]),
        expires_ms=int(item["ax"]["N"]),
        ttl=int(item["ttl"]["N"]),
    )
