from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn.errors import Malformed
from keyturn.strict_json import MAX_CONTAINERS, MAX_INTEGER, parse_object

# A busy machine, or the first run that builds Hypothesis's tables, is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def containers(text):
    return text.count("{") + text.count("[")


@PATIENT
@given(st.dictionaries(TEXT, VALUES, max_size=4), st.booleans())
def test_an_object_that_json_writes_is_read_back_unchanged(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    if containers(text) <= MAX_CONTAINERS:
        assert parse_object(text.encode()) == value


@PATIENT
@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_malformed(raw):
    with suppress(Malformed):
        assert isinstance(parse_object(raw), dict)


@PATIENT
@given(st.text(alphabet='{}[]":,\\u0123dD8eE.+-truefalsn ', max_size=60))
def test_any_text_of_json_characters_is_an_object_or_malformed(text):
    with suppress(Malformed):
        assert isinstance(parse_object(text.encode()), dict)


def test_the_deepest_nesting_allowed_is_read():
    depth = MAX_CONTAINERS - 1
    assert parse_object(b'{"x":' + b"[" * depth + b"]" * depth + b"}")


def test_one_container_more_is_refused():
    with pytest.raises(Malformed):
        parse_object(b'{"x":' + b"[" * MAX_CONTAINERS + b"]" * MAX_CONTAINERS + b"}")


@pytest.mark.parametrize("number", [MAX_INTEGER, -MAX_INTEGER, 0])
def test_an_integer_up_to_two_to_the_53_is_read(number):
    assert parse_object(json.dumps({"x": number}).encode()) == {"x": number}


@pytest.mark.parametrize("number", [str(MAX_INTEGER + 1), str(-MAX_INTEGER - 1), "9" * 17, "9" * 5000])
def test_a_larger_integer_is_refused(number):
    with pytest.raises(Malformed, match="out of range"):
        parse_object(f'{{"x":{number}}}'.encode())


@pytest.mark.parametrize("number", ["1.0", "1e2", "-0.5", "1E400", "NaN", "Infinity", "-Infinity"])
def test_what_is_no_integer_is_refused(number):
    with pytest.raises(Malformed, match="not an integer"):
        parse_object(f'{{"x":{number}}}'.encode())


def test_the_refusal_carries_no_part_of_the_text():
    with pytest.raises(Malformed) as caught:
        parse_object(b'{"sub":"somebody",}')
    assert "somebody" not in str(caught.value)
    # A JSONDecodeError holds the whole text in its ``doc``; it must not hang on as the context either.
    assert caught.value.__context__ is None
