"""The port to DynamoDB's data plane: an operation goes in, a value comes out, a refusal has a type."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from service.store.codec import Item, decode_item
from service.store.errors import Conflict, StoreUnavailable, TransactionCancelled
from service.store.failures import is_conflict, translate
from service.store.operations import Check, Delete, Get, Put, Update

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.operations import Query, TransactWrite, Write
    from service.store.table import TableNames

_CONFLICT_ATTEMPTS = 6
_TOKEN_BYTES = 16
_CONFLICT_BASE_SECONDS = 0.02
_ACTIONS: dict[type, str] = {Put: "Put", Update: "Update", Delete: "Delete", Check: "ConditionCheck"}
_WRITES: dict[type, str] = {Put: "put_item", Update: "update_item", Delete: "delete_item"}


class Meter(Protocol):
    """Told of every call: which operation, how long, and the units that DynamoDB says it consumed."""

    def record(self, *, operation: str, table: str, seconds: float, units: float, failed: bool) -> None:
        """One call that ended; ``units`` are capacity units, 0 where the answer did not say."""
        ...


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a query; ``next_start`` is None on the last."""

    items: tuple[Item, ...]
    next_start: Item | None


@dataclass(frozen=True, kw_only=True)
class Dynamo:
    """Sends operations through the SDK's client. Each call, with its retries, ends within ``deadline_seconds``."""

    client: Any
    names: TableNames
    clock: Clock
    entropy: Entropy
    meter: Meter
    deadline_seconds: float

    async def get(self, operation: Get) -> Item | None:
        """The item, or None; strongly consistent. Raises StoreUnavailable."""
        async with self._deadline("get_item"):
            answer = await self._send("get_item", operation.table, operation.request(self.names))
        return decode_item(answer["Item"]) if "Item" in answer else None

    async def query(self, operation: Query) -> Page:
        """One page of a partition; strongly consistent. Raises StoreUnavailable."""
        async with self._deadline("query"):
            answer = await self._send("query", operation.table, operation.request(self.names))
        last = answer.get("LastEvaluatedKey")
        return Page(
            items=tuple(decode_item(item) for item in answer["Items"]),
            next_start=None if last is None else decode_item(last),
        )

    async def write(self, operation: Write) -> Item | None:
        """Put, update or delete. Answers the new item of an update, the old one of a delete, None of a put.

        Raises ConditionFailed with the item as it was, Conflict, StoreUnavailable.
        """
        request = operation.request(self.names)
        if isinstance(operation, Update):
            request["ReturnValues"] = "ALL_NEW"
        elif isinstance(operation, Delete):
            request["ReturnValues"] = "ALL_OLD"
        name = _WRITES[type(operation)]
        answer = await self._patiently(name, lambda: self._send(name, operation.table, request))
        return decode_item(answer["Attributes"]) if answer.get("Attributes") else None

    async def transact(self, actions: Sequence[TransactWrite]) -> None:
        """Write all or nothing. Raises TransactionCancelled with a reason an action, Conflict, StoreUnavailable."""
        items = [{_ACTIONS[type(action)]: action.request(self.names)} for action in actions]
        request: dict[str, Any] = {"TransactItems": items}

        async def send() -> dict[str, Any]:
            # One token for all tries whose end is not known: a lost answer cannot apply it twice, nor turn a yes
            # into a no. After a cancellation nothing was written, and the next try is a request of its own.
            request.setdefault("ClientRequestToken", self.entropy.token_bytes(_TOKEN_BYTES).hex())
            try:
                return await self._send("transact_write_items", actions[0].table, request)
            except TransactionCancelled:
                del request["ClientRequestToken"]
                raise

        await self._patiently("transact_write_items", send)

    async def batch_get(self, operations: Sequence[Get]) -> tuple[Item | None, ...]:
        """The items in the order asked for, None where there is none; strongly consistent, one request as a rule."""
        async with self._deadline("batch_get_item"):
            found = await self._all_of_batch(operations)
        return tuple(found.get((self.names.of(op.table), repr(dict(op.key)))) for op in operations)

    async def _all_of_batch(self, operations: Sequence[Get]) -> dict[tuple[str, str], Item]:
        found: dict[tuple[str, str], Item] = {}
        pending = self._batch_request(operations)
        for attempt in range(_CONFLICT_ATTEMPTS):
            answer = await self._send("batch_get_item", operations[0].table, {"RequestItems": pending})
            for table, raw_items in answer["Responses"].items():
                for raw in raw_items:
                    item = decode_item(raw)
                    found[table, self._key_of(operations, table, item)] = item
            pending = answer.get("UnprocessedKeys") or {}
            if not pending:
                return found
            await self.clock.sleep(self._backoff_seconds(attempt))
        raise StoreUnavailable("batch_get left keys unprocessed")

    def _batch_request(self, operations: Sequence[Get]) -> dict[str, Any]:
        tables: dict[str, Any] = {}
        for operation in operations:
            request = operation.request(self.names)
            table = tables.setdefault(request["TableName"], {"Keys": [], "ConsistentRead": True})
            if request["Key"] not in table["Keys"]:
                table["Keys"].append(request["Key"])
        return tables

    def _key_of(self, operations: Sequence[Get], table: str, item: Item) -> str:
        attributes: Mapping[str, Any] = next(op.key for op in operations if self.names.of(op.table) == table)
        return repr({name: item[name] for name in attributes})

    async def _patiently(self, operation: str, send: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """A transaction that holds an item refuses others at once, and the SDK does not retry that."""
        async with self._deadline(operation):
            for attempt in range(_CONFLICT_ATTEMPTS):
                try:
                    return await send()
                except (StoreUnavailable, TransactionCancelled) as error:
                    if not is_conflict(error):
                        raise
                if attempt < _CONFLICT_ATTEMPTS - 1:
                    await self.clock.sleep(self._backoff_seconds(attempt))
            raise Conflict(f"{operation}: held through every retry")

    def _deadline(self, operation: str) -> _Deadline:
        return _Deadline(operation, self.deadline_seconds)

    def _backoff_seconds(self, attempt: int) -> float:
        jitter = int.from_bytes(self.entropy.token_bytes(2)) / 65536
        return float(_CONFLICT_BASE_SECONDS * 2**attempt * (0.5 + jitter))

    async def _send(self, operation: str, table: str, request: dict[str, Any]) -> dict[str, Any]:
        started = self.clock.monotonic_seconds()
        units, failed = 0.0, True
        try:
            answer = await self._ask(operation, request)
            units, failed = _consumed(answer), False
            return answer
        finally:
            seconds = self.clock.monotonic_seconds() - started
            self.meter.record(operation=operation, table=str(table), seconds=seconds, units=units, failed=failed)

    async def _ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await getattr(self.client, operation)(**request, ReturnConsumedCapacity="TOTAL")
        except Exception as error:
            raise translate(operation, error) from error
        return answer


class _Deadline:
    """Ends what is inside, with all its tries, in time: rotation counts on no call being longer under way."""

    def __init__(self, operation: str, seconds: float) -> None:
        self._operation = operation
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError as late:
            raise StoreUnavailable(f"{self._operation} ran past its deadline") from late


def _consumed(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity", [])
    entries = [consumed] if isinstance(consumed, dict) else consumed
    return float(sum(entry.get("CapacityUnits", 0.0) for entry in entries))
