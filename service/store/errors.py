"""What a store call may raise, as types; nothing of the SDK's errors passes this module.

StoreError
├── ConditionFailed        the write's condition did not hold; carries the item as it was
├── TransactionCancelled   one reason an action, in request order
├── Conflict               a transaction held the item; already retried here
└── StoreUnavailable       503 to the caller: away, throttled after all retries, past the deadline, misconfigured
    └── Throttled          DynamoDB asked us to slow down
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.errors import Unavailable

if TYPE_CHECKING:
    from service.store.codec import Item


class StoreError(Exception):
    """The root of what the store raises."""


class ConditionFailed(StoreError):
    """The condition did not hold. ``item`` is the item as it was, None when there was none."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("condition failed")
        self.item = item


@dataclass(frozen=True, kw_only=True)
class CancelReason:
    """Why one action of a transaction was refused; ``code`` is DynamoDB's, ``None`` for an action not at fault."""

    code: str
    item: Item | None

    @property
    def is_condition(self) -> bool:
        """Whether this action's condition did not hold."""
        return self.code == "ConditionalCheckFailed"


class TransactionCancelled(StoreError):
    """Nothing of the transaction was written; ``reasons`` stand in the order of its actions."""

    def __init__(self, reasons: tuple[CancelReason, ...]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons

    def refused(self, index: int) -> bool:
        """Whether the action at ``index`` was refused by its condition."""
        return self.reasons[index].is_condition


class StoreUnavailable(StoreError, Unavailable):
    """DynamoDB did not answer, refused us, or ran past the deadline."""


class Throttled(StoreUnavailable):
    """DynamoDB throttled the call, and went on doing so through every retry."""


class Conflict(StoreUnavailable):
    """A transaction held the item through every retry."""
