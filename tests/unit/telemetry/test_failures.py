from __future__ import annotations

import pytest
from botocore.exceptions import ParamValidationError
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from pydantic import BaseModel, ValidationError

from service.telemetry.failures import WITHHELD, as_text, describe

CANARY = "canary-4711"


def caught(function):
    try:
        function()
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError


def fail_with_local():
    password = CANARY  # noqa: F841
    raise RuntimeError("it broke")


def test_an_exception_is_its_class_its_message_and_its_places_without_locals():
    (link,) = describe(caught(fail_with_local))
    assert link["type"] == "builtins.RuntimeError"
    assert link["message"] == "it broke"
    assert link["frames"][-1].endswith(" fail_with_local")
    assert CANARY not in repr(link)
    assert "it broke" in as_text(caught(fail_with_local))


@pytest.mark.parametrize("message", [f"ktr_{CANARY}", f"password={CANARY}", f"Bearer {CANARY}"])
def test_a_message_goes_through_the_net(message):
    assert CANARY not in as_text(RuntimeError(message))


class Model(BaseModel):
    value: int


@pytest.mark.parametrize(
    "error",
    [
        caught(lambda: Model.model_validate({"value": CANARY})),
        RequestValidationError([{"type": "x", "loc": (), "msg": CANARY, "input": CANARY}], body=CANARY),
        ResponseValidationError([{"type": "x", "loc": (), "msg": CANARY, "input": CANARY}], body=CANARY),
        ParamValidationError(report=f"value: {CANARY}"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_validation_errors_quote_their_input_so_their_message_is_withheld(error):
    assert CANARY in str(error)
    (link,) = describe(error)
    assert link["message"] == WITHHELD
    assert CANARY not in as_text(error)


def test_validation_errors_are_withheld_inside_a_chain_too():
    def chained():
        try:
            Model.model_validate({"value": CANARY})
        except ValidationError as error:
            raise RuntimeError("outer") from error

    links = describe(caught(chained))
    assert [link["type"].rpartition(".")[2] for link in links] == ["RuntimeError", "ValidationError"]
    assert CANARY not in repr(links)


def test_context_groups_and_suppression_are_followed():
    def in_context():
        try:
            raise KeyError("first")  # noqa: TRY301
        except KeyError:
            raise ValueError("second")  # noqa: B904

    def suppressed():
        try:
            raise KeyError("first")  # noqa: TRY301
        except KeyError:
            raise ValueError("second") from None

    assert len(describe(caught(in_context))) == 2
    assert len(describe(caught(suppressed))) == 1
    assert len(describe(ExceptionGroup("many", [ValueError("a"), TypeError("b")]))) == 3


def test_a_chain_that_bites_its_tail_and_a_long_one_end():
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert len(describe(first)) == 2
    assert len(describe(ExceptionGroup("many", [ValueError(str(n)) for n in range(100)]))) == 8
