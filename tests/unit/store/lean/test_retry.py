"""The rules of trying again, held against botocore's own."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.retries import standard

from service.store.lean.retry import (
    SKEW_MS,
    THROTTLING_CODES,
    TOTAL_ATTEMPTS,
    TRANSIENT_CODES,
    TRANSIENT_STATUSES,
    Failure,
    RetryQuota,
    failure_of,
    skew_ms,
    wait_seconds,
)

SENT_MS = 1_800_000_000_000
AN_HOUR_MS = 3_600_000


def modelled():
    """The codes that DynamoDB's own model calls retryable."""
    model = botocore.session.get_session().get_service_model("dynamodb")
    return {shape.name for shape in model.error_shapes if shape.metadata.get("retryable") is not None}


def test_what_is_tried_again_is_what_botocore_tries_again():
    assert set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES) == THROTTLING_CODES
    assert set(standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES) | modelled() == TRANSIENT_CODES
    assert set(standard.TransientRetryableChecker._TRANSIENT_STATUS_CODES) == TRANSIENT_STATUSES
    assert standard.DEFAULT_MAX_ATTEMPTS == TOTAL_ATTEMPTS


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (400, "ProvisionedThroughputExceededException", Failure.THROTTLED),
        (400, "TransactionInProgressException", Failure.THROTTLED),
        (503, "SlowDown", Failure.THROTTLED),
        (500, "InternalServerError", Failure.TRANSIENT),
        (502, "502", Failure.TRANSIENT),
        (409, "ReplicatedWriteConflictException", Failure.TRANSIENT),
        (501, "NotImplemented", None),
        (400, "ConditionalCheckFailedException", None),
        (400, "TransactionCanceledException", None),
        (400, "TransactionConflictException", None),
        (400, "ValidationException", None),
        (413, "413", None),
    ],
)
def test_a_refusal_is_tried_again_where_that_may_help(status, code, failure):
    assert failure_of(status=status, code=code) is failure


@pytest.mark.parametrize(
    ("failure", "longest"), [(Failure.THROTTLED, 1.0), (Failure.TRANSIENT, 0.05), (Failure.TIMED_OUT, 0.05)]
)
def test_the_wait_is_drawn_from_a_span_that_doubles(failure, longest):
    assert wait_seconds(failure, attempt=1, chance=0.0) == 0.0
    assert wait_seconds(failure, attempt=1, chance=1.0) == longest
    assert wait_seconds(failure, attempt=2, chance=0.5) == longest


def test_a_store_in_trouble_is_not_buried_under_retries():
    quota = RetryQuota()
    prices = [quota.take(Failure.TRANSIENT) for _ in range(101)]
    assert prices == [5] * 100 + [None]
    quota.give_back(prices[0])
    assert quota.take(Failure.TIMED_OUT) is None
    assert quota.take(Failure.TRANSIENT) == 5


def test_calls_that_go_through_fill_the_budget_slowly_and_never_over_its_brim():
    quota = RetryQuota(left=0)
    quota.give_back(None)
    assert quota.left == 1
    quota.give_back(5)
    assert quota.left == 6
    for _ in range(600):
        quota.give_back(None)
    assert quota.left == 500


@pytest.mark.parametrize("off_ms", [AN_HOUR_MS, -AN_HOUR_MS, SKEW_MS])
def test_a_signature_that_is_refused_for_its_time_shows_how_wrong_the_clock_is(off_ms):
    assert skew_ms(code="InvalidSignatureException", server_ms=SENT_MS + off_ms, sent_ms=SENT_MS) == off_ms


@pytest.mark.parametrize(
    ("code", "server_ms"),
    [
        ("InvalidSignatureException", SENT_MS + SKEW_MS - 1),
        ("InvalidSignatureException", None),
        ("UnrecognizedClientException", SENT_MS + AN_HOUR_MS),
        ("ConditionalCheckFailedException", SENT_MS + AN_HOUR_MS),
    ],
)
def test_any_other_refusal_says_nothing_of_the_clock(code, server_ms):
    assert skew_ms(code=code, server_ms=server_ms, sent_ms=SENT_MS) is None
