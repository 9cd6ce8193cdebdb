"""Spans of DynamoDB calls: operation, table, units; a refused condition is an answer and not an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from opentelemetry.trace import Span

    from service.telemetry.tracing import Attributes, Tracing

_OPERATIONS = {
    "get_item": "GetItem",
    "query": "Query",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "batch_get_item": "BatchGetItem",
    "transact_write_items": "TransactWriteItems",
}
_REFUSED_CONDITION = "ConditionalCheckFailedException"
_CANCELLED = "TransactionCanceledException"


def traced_client(client: Any, tracing: Tracing) -> Any:
    """The SDK's ``client`` with a span around each call of the data plane; the client itself while tracing is off."""
    return _TracedClient(client=client, tracing=tracing) if tracing.is_on else client


@dataclass(frozen=True, kw_only=True)
class _TracedClient:
    client: Any
    tracing: Tracing

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)
        operation = _OPERATIONS.get(name)
        return call if operation is None else self._traced(operation, call)

    def _traced(self, operation: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def traced(**request: Any) -> Any:
            with self.tracing.span(f"DynamoDB {operation}", _asked(operation, request), kind=SpanKind.CLIENT) as span:
                try:
                    answer = await call(**request)
                except Exception as error:
                    if not _note_refusal(span, error):
                        raise
                    refused = error
                else:
                    span.set_attribute("keyturn.dynamodb.units", _units(answer))
                    _note_request_id(span, answer)
                    return answer
            raise refused

        return traced


def _asked(operation: str, request: Mapping[str, Any]) -> Attributes:
    """Names only: keys and values of items are nobody's business here."""
    return {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": operation,
        "db.collection.name": " ".join(sorted(_tables(request))),
    }


def _tables(request: Mapping[str, Any]) -> set[str]:
    if "TableName" in request:
        return {request["TableName"]}
    actions = [next(iter(action.values())) for action in request.get("TransactItems", ())]
    return {action["TableName"] for action in actions} | set(request.get("RequestItems", ()))


def _note_refusal(span: Span, error: Exception) -> bool:
    """Whether a condition was refused; of anything else the span gets DynamoDB's code, where there is one."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    _note_request_id(span, response)
    code = response.get("Error", {}).get("Code")
    reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())} - {"None", None}
    refused = code == _REFUSED_CONDITION or (code == _CANCELLED and reasons == {"ConditionalCheckFailed"})
    if refused:
        span.set_attribute("keyturn.dynamodb.refused", True)
    elif code is not None:
        span.set_attribute("db.response.status_code", code)
    return refused


def _note_request_id(span: Span, answer: Mapping[str, Any]) -> None:
    """By which AWS finds the call in its own logs."""
    request_id = answer.get("ResponseMetadata", {}).get("RequestId")
    if request_id:
        span.set_attribute("aws.request_id", request_id)


def _units(answer: Mapping[str, Any]) -> float:
    consumed = answer.get("ConsumedCapacity", [])
    entries = [consumed] if isinstance(consumed, dict) else consumed
    return float(sum(entry.get("CapacityUnits", 0.0) for entry in entries))
