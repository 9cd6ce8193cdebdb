"""From the SDK's errors to ours: the one place that knows DynamoDB's error codes."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.store.codec import decode_item
from service.store.errors import (
    CancelReason,
    ConditionFailed,
    Conflict,
    StoreError,
    StoreUnavailable,
    Throttled,
    TransactionCancelled,
)

_THROTTLED = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "ThrottlingError"}
)
_TRANSIENT_REASONS = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


def translate(operation: str, error: Exception) -> Exception:
    """The typed error for what the SDK raised; a programming error passes as it is, so that it is a 500."""
    if isinstance(error, ClientError):
        return _from_response(operation, error)
    if isinstance(error, BotoCoreError | OSError):
        # Credentials that cannot be had, endpoints that do not answer, connections that break.
        return StoreUnavailable(f"{operation}: {type(error).__name__}")
    return error


def _from_response(operation: str, error: ClientError) -> StoreError:
    response: Any = error.response
    code = response.get("Error", {}).get("Code", "")
    # The id is what AWS's support asks for.
    request_id = response.get("ResponseMetadata", {}).get("RequestId")
    told = f"{operation}: {code} (request {request_id})" if request_id else f"{operation}: {code}"
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_item(response))
    if code == "TransactionCanceledException":
        return _cancelled(response)
    if code in {"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException"}:
        return Conflict(told)
    if code in _THROTTLED:
        return Throttled(told)
    return StoreUnavailable(told)


def _cancelled(response: Any) -> StoreError:
    reasons = tuple(
        CancelReason(code=reason.get("Code", "None"), item=_item(reason))
        for reason in response.get("CancellationReasons", [])
    )
    if any(reason.code == "ThrottlingError" for reason in reasons):
        return Throttled("transaction throttled")
    codes = {reason.code for reason in reasons} - {"None"}
    if not codes or codes - _TRANSIENT_REASONS - {"ConditionalCheckFailed"}:
        # No refusal that a caller could make anything of, and no word of what else it was.
        return StoreUnavailable(f"transaction cancelled: {', '.join(sorted(codes)) or 'no reason given'}")
    return TransactionCancelled(reasons)


def _item(holder: Any) -> Any:
    return decode_item(holder["Item"]) if holder.get("Item") else None


def is_conflict(error: Exception) -> bool:
    """Whether the same call may go through in a moment: another transaction held an item, no condition was refused."""
    if isinstance(error, Conflict):
        return True
    if not isinstance(error, TransactionCancelled):
        return False
    codes = {reason.code for reason in error.reasons} - {"None"}
    return bool(codes) and codes <= _TRANSIENT_REASONS
