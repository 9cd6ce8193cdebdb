from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.web.validation import MAX_ERRORS, MESSAGES, code_for, field_error, field_errors, field_name, safe_name

SECRET = "hunter2-hunter2"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    text: str = Field("ok", min_length=2, max_length=4, pattern="^[a-z]+$")
    number: int = Field(1, ge=0, le=9)
    flag: bool = True
    choice: Literal["a", "b"] = "a"
    items: list[Inner] = Field([], max_length=2)
    inner: Inner | None = None
    checked: str = "x"
    needed: str

    @field_validator("checked")
    @classmethod
    def refuse(cls, value: str) -> str:
        if value != "x":
            raise ValueError(f"what is {value}?")
        return value


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"needed": 5}, "needed", "wrong_type"),
        ({"text": "x"}, "text", "too_short"),
        ({"text": SECRET}, "text", "too_long"),
        ({"text": "A1"}, "text", "wrong_format"),
        ({"text": ["x"]}, "text", "wrong_type"),
        ({"number": "1"}, "number", "wrong_type"),
        ({"number": 10}, "number", "out_of_range"),
        ({"number": -1}, "number", "out_of_range"),
        ({"flag": 1}, "flag", "wrong_type"),
        ({"choice": SECRET}, "choice", "not_allowed"),
        ({"items": [{"name": "a"}, {"name": 7}]}, "items.1.name", "wrong_type"),
        ({"items": [{"name": "a"}] * 3}, "items", "too_long"),
        ({"inner": {}}, "inner.name", "missing"),
        ({"inner": SECRET}, "inner", "wrong_type"),
        ({"inner": {"name": "a", "is_admin": True}}, "inner.is_admin", "unknown_field"),
        ({"checked": SECRET}, "checked", "invalid"),
        ({"is_admin": SECRET}, "is_admin", "unknown_field"),
        ({"<script>": SECRET}, "?", "unknown_field"),
    ],
)
def test_each_refusal_has_its_stable_code_and_echoes_nothing(change, field, code):
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"needed": "x", **change})
    (error,) = field_errors([{**e, "loc": ("body", *e["loc"])} for e in caught.value.errors()])
    assert (error.field, error.code, error.message) == (field, code, MESSAGES[code])
    assert SECRET not in json.dumps([error.field, error.code, error.message])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("int_parsing", "wrong_format"),
        ("uuid_parsing", "wrong_format"),
        ("date_from_datetime_inexact", "wrong_format"),
        ("value_error", "invalid"),
        ("anything_else", "invalid"),
        ("model_attributes_type", "wrong_type"),
    ],
)
def test_types_outside_of_the_table_have_a_code_too(kind, code):
    assert code_for(kind) == code


@pytest.mark.parametrize(
    ("location", "name"),
    [
        (("body",), "body"),
        (("query", "limit"), "limit"),
        (("body", "a", 0, "b"), "a.0.b"),
        (("elsewhere", "a"), "elsewhere.a"),
        ((), "body"),
        (("body", *["a"] * 50), ".".join(["a"] * 8)),
    ],
)
def test_a_location_is_a_dotted_bounded_name(location, name):
    assert field_name(location) == name


@given(st.text())
def test_a_name_that_the_client_invented_is_short_and_printable_or_hidden(name):
    shown = safe_name(name)
    assert shown == "?" or (shown == name and len(name) <= 32 and name.isascii() and name.isprintable())


def test_a_strange_location_part_is_hidden():
    assert safe_name(3.5) == "?"


def test_a_body_of_a_thousand_unknown_fields_cannot_make_a_large_answer():
    errors = [{"type": "extra_forbidden", "loc": ("body", f"f{n}")} for n in range(1000)]
    assert len(field_errors(errors)) == MAX_ERRORS


def test_equal_refusals_are_told_once():
    assert field_errors([{"type": "extra_forbidden", "loc": ("body", "<")}] * 3) == (field_error("?", "unknown_field"),)
