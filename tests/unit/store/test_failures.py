from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from service.errors import Unavailable
from service.store.errors import (
    CancelReason,
    ConditionFailed,
    Conflict,
    StoreError,
    StoreUnavailable,
    Throttled,
)
from service.store.failures import is_conflict, translate
from tests.support.store import client_error

ITEM = {"uid": {"B": b"u"}, "g": {"N": "3"}}
CODES = {
    "ConditionalCheckFailedException": ConditionFailed,
    "TransactionConflictException": Conflict,
    "TransactionInProgressException": Conflict,
    "ReplicatedWriteConflictException": Conflict,
    "ProvisionedThroughputExceededException": Throttled,
    "ThrottlingException": Throttled,
    "ThrottlingError": Throttled,
    "RequestLimitExceeded": Throttled,
    "InternalServerError": StoreUnavailable,
    "ServiceUnavailable": StoreUnavailable,
    "AccessDeniedException": StoreUnavailable,
    "ResourceNotFoundException": StoreUnavailable,
    "ItemCollectionSizeLimitExceededException": StoreUnavailable,
    "IdempotentParameterMismatchException": StoreUnavailable,
    "ValidationException": StoreUnavailable,
    "UnrecognizedClientException": StoreUnavailable,
    "": StoreUnavailable,
}


def cancelled(*reasons):
    return translate("transact_write_items", client_error("TransactionCanceledException", CancellationReasons=reasons))


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_dynamodb_has_its_type(code):
    assert type(translate("put_item", client_error(code))) is CODES[code]


@pytest.mark.parametrize("kind", [Conflict, Throttled, StoreUnavailable])
def test_what_may_pass_by_itself_is_503_with_retry_after(kind):
    error = kind("detail")
    assert isinstance(error, Unavailable)
    assert isinstance(error, StoreError)
    assert error.status == 503
    assert error.headers() == {"Retry-After": "1"}


def test_an_answer_without_a_code_is_a_store_that_is_away():
    error = client_error("x")
    error.response.clear()
    assert type(translate("get_item", error)) is StoreUnavailable


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        NoCredentialsError(),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_store_that_cannot_be_reached_is_unavailable(error):
    typed = translate("get_item", error)
    assert type(typed) is StoreUnavailable
    assert typed.detail_for_log == f"get_item: {type(error).__name__}"


def test_a_mistake_of_ours_passes_as_it_is():
    mistake = KeyError("Item")
    assert translate("get_item", mistake) is mistake


def test_the_detail_names_the_operation_and_the_code_and_nothing_of_the_request():
    typed = translate("update_item", client_error("AccessDeniedException"))
    assert typed.detail_for_log == "update_item: AccessDeniedException"


def test_a_failed_condition_carries_the_item_as_it_was():
    error = translate("put_item", client_error("ConditionalCheckFailedException", Item=ITEM))
    assert error.item == {"uid": b"u", "g": 3}


def test_a_failed_condition_on_nothing_carries_nothing():
    assert translate("put_item", client_error("ConditionalCheckFailedException")).item is None
    assert translate("put_item", client_error("ConditionalCheckFailedException", Item={})).item is None


def test_reasons_stand_in_the_order_of_the_actions():
    error = cancelled({"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": ITEM}, {})
    assert error.reasons == (
        CancelReason(code="None", item=None),
        CancelReason(code="ConditionalCheckFailed", item={"uid": b"u", "g": 3}),
        CancelReason(code="None", item=None),
    )
    assert [error.refused(index) for index in range(3)] == [False, True, False]


@pytest.mark.parametrize(
    "codes",
    [[], ["None", "None"], ["None", "ValidationError"], ["ConditionalCheckFailed", "ItemCollectionSizeLimitExceeded"]],
)
def test_a_transaction_cancelled_for_what_no_caller_asked_is_a_store_that_is_away(codes):
    assert type(cancelled(*({"Code": code} for code in codes))) is StoreUnavailable


def test_a_throttled_transaction_is_throttled():
    assert type(cancelled({"Code": "None"}, {"Code": "ThrottlingError"})) is Throttled


@pytest.mark.parametrize(
    ("codes", "passes"),
    [
        (["TransactionConflict"], True),
        (["None", "TransactionConflict"], True),
        (["TransactionConflict", "ProvisionedThroughputExceeded"], True),
        (["ConditionalCheckFailed"], False),
        (["TransactionConflict", "ConditionalCheckFailed"], False),
        (["None"], False),
        ([], False),
    ],
)
def test_a_cancelled_transaction_is_tried_again_only_when_nothing_was_refused(codes, passes):
    assert is_conflict(cancelled(*({"Code": code} for code in codes))) is passes


@pytest.mark.parametrize(
    ("error", "passes"),
    [(Conflict(), True), (Throttled(), False), (StoreUnavailable(), False), (ConditionFailed(None), False)],
)
def test_of_single_writes_only_a_conflict_is_tried_again(error, passes):
    assert is_conflict(error) is passes
