from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.codec import decode_item, decode_value, encode_item, encode_value

SCALARS = st.text() | st.integers(min_value=-(10**37), max_value=10**37) | st.booleans() | st.binary()
VALUES = st.recursive(
    SCALARS | st.frozensets(st.text(), min_size=1),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=12,
)


@given(VALUES)
def test_what_was_stored_is_read_back_as_it_was_with_its_type(value):
    again = decode_value(encode_value(value))
    assert again == value
    assert type(again) is type(value)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_an_item_is_read_back_as_it_was(item):
    assert decode_item(encode_item(item)) == item


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("ada", {"S": "ada"}),
        ("", {"S": ""}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        (1, {"N": "1"}),
        (0, {"N": "0"}),
        (b"\x00", {"B": b"\x00"}),
        (frozenset({"b", "a"}), {"SS": ["a", "b"]}),
        ([1, "x"], {"L": [{"N": "1"}, {"S": "x"}]}),
        ((1,), {"L": [{"N": "1"}]}),
        ({"a": 1}, {"M": {"a": {"N": "1"}}}),
    ],
)
def test_each_type_has_its_own_letter(value, attribute):
    assert encode_value(value) == attribute


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), Decimal(1), {1, 2}, object(), bytearray(b"x"), None])
def test_a_float_and_whatever_else_no_item_holds_is_refused(value):
    with pytest.raises(TypeError, match="is not stored"):
        encode_value(value)


@pytest.mark.parametrize("attribute", [{"NULL": True}, {"NS": ["1"]}, {"BS": [b"x"]}])
def test_an_attribute_of_a_type_that_no_item_holds_is_refused(attribute):
    with pytest.raises(TypeError, match="is not stored"):
        decode_value(attribute)


@pytest.mark.parametrize("text", ["1.5", "1E+3", "NaN"])
def test_a_number_that_is_not_whole_is_refused(text):
    with pytest.raises(ValueError, match="invalid literal"):
        decode_value({"N": text})


def test_what_is_none_and_an_empty_set_are_left_out_and_an_empty_text_is_not():
    assert encode_item({"a": None, "b": frozenset(), "c": "", "d": 0, "e": False}) == {
        "c": {"S": ""},
        "d": {"N": "0"},
        "e": {"BOOL": False},
    }
