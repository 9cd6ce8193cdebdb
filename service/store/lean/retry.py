"""What is tried again and when: the SDK's standard mode as rules, with shorter waits where DynamoDB allows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

TOTAL_ATTEMPTS = 3
TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})
TRANSIENT_CODES = frozenset(
    {
        "PriorRequestNotComplete",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
SIGNATURE_CODES = frozenset(
    {
        "AuthFailure",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""What DynamoDB says of a signature whose time is wrong; of other mistakes in a signature too."""
SKEW_MS = 240_000
"""DynamoDB accepts five minutes. A signature that is refused with less between the clocks has another fault."""

_TRANSIENT_SECONDS = 0.05
_THROTTLED_SECONDS = 1.0
_CAPACITY = 500
_COST = 5
_TIMEOUT_COST = 10
_REFUND = 1


class Failure(Enum):
    """Why an attempt is worth another."""

    TRANSIENT = auto()
    TIMED_OUT = auto()
    THROTTLED = auto()


def failure_of(*, status: int, code: str) -> Failure | None:
    """Why a refusal with this HTTP status and error code is tried again, or None where that would change nothing."""
    if code in THROTTLING_CODES:
        return Failure.THROTTLED
    if code in TRANSIENT_CODES or status in TRANSIENT_STATUSES:
        return Failure.TRANSIENT
    return None


def wait_seconds(failure: Failure, *, attempt: int, chance: float) -> float:
    """How long to wait after the ``attempt``-th (from 1), with ``chance`` in [0, 1): full jitter, doubling.

    The SDK waits a second on average before the third attempt, whatever has failed. That is right where DynamoDB asks
    for less; a broken connection or a 500 is over after milliseconds, and a person waits for the answer.
    """
    base = _THROTTLED_SECONDS if failure is Failure.THROTTLED else _TRANSIENT_SECONDS
    return chance * base * float(2 ** (attempt - 1))


def skew_ms(*, code: str, server_ms: int | None, sent_ms: int) -> int | None:
    """By how much the clock that signed is wrong, or None where that is not why it was refused."""
    if code not in SIGNATURE_CODES or server_ms is None or abs(server_ms - sent_ms) < SKEW_MS:
        return None
    return server_ms - sent_ms


@dataclass(kw_only=True)
class RetryQuota:
    """A budget for attempts beyond the first, shared by all calls: a store in trouble is not buried under retries."""

    left: int = _CAPACITY

    def take(self, failure: Failure) -> int | None:
        """The price of another attempt, now paid; None when there is not enough left."""
        price = _TIMEOUT_COST if failure is Failure.TIMED_OUT else _COST
        if self.left < price:
            return None
        self.left -= price
        return price

    def give_back(self, price: int | None) -> None:
        """A call went through: it gives back what its last retry took, or a little where it needed none."""
        self.left = min(_CAPACITY, self.left + (_REFUND if price is None else price))
