from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.errors import BadRequest, UnsupportedMediaType
from service.web.strict_json import MAX_DEPTH, StrictModel, check_content_type, parse_json

REFUSED = {
    "empty": b"",
    "not JSON": b"hunter2",
    "two texts": b"{} {}",
    "trailing comma": b'{"a":1,}',
    "comment": b'{"a":1/**/}',
    "single quotes": b"{'a':1}",
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32-le"),
    "Latin-1": '{"a":"\xe4"}'.encode("latin-1"),
    "overlong UTF-8": b'{"a":"\xc0\x80"}',
    "raw surrogate": b'{"a":"\xed\xa0\x80"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "lone low surrogate": b'{"a":"\\udc00"}',
    "lone surrogate in a name": b'{"\\ud800":1}',
    "lone surrogate in a list": b'["\\ud800"]',
    "NUL": b'{"a":"x\\u0000"}',
    "NUL in a name": b'{"a\\u0000":1}',
    "raw control character": b'{"a":"\x01"}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "overflow": b'{"a":1e999}',
    "400 digits": b'{"a":' + b"9" * 400 + b"}",
    "5000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "duplicate": b'{"a":1,"a":2}',
    "duplicate by escape": b'{"a":1,"\\u0061":2}',
    "duplicate inside": b'{"x":{"a":1,"a":2}}',
    "too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "very deep": b"[" * 16_000,
    "deep objects": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    "deep behind an escaped quote": b'["\\"",' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]",
    "unclosed quote": b'{"a":"' + b'\\"' * 8000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_a_body_with_two_meanings_or_none_is_malformed(body):
    with pytest.raises(BadRequest) as caught:
        parse_json(body)
    assert caught.value.code == "malformed_json"
    assert "hunter2" not in caught.value.title + caught.value.detail_for_log
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a":[1,-2.5,true,false,null,""]}', {"a": [1, -2.5, True, False, None, ""]}),
        (b" \n{}\t", {}),
        (b'"text"', "text"),
        (b'{"a":"[[[[[[[[[[[[["}', {"a": "[[[[[[[[[[[[["}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, [[[[[[[[]]]]]]]]),
        (b"[[],[],[],[],[],[],[],[],[],[]]", [[]] * 10),
        (b"-9223372036854775808", -(2**63)),
    ],
)
def test_plain_json_means_what_it_says(body, value):
    assert parse_json(body) == value


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(values, st.booleans())
def test_whatever_is_written_within_the_limits_is_read_back(value, escaped):
    assert parse_json(json.dumps({"v": value} if _depth(value) < MAX_DEPTH else 1, ensure_ascii=escaped).encode()) == (
        {"v": value} if _depth(value) < MAX_DEPTH else 1
    )


def _depth(value):
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_a_refusal(body):
    try:
        parse_json(body)
    except BadRequest as error:
        assert error.code == "malformed_json"  # noqa: PT017


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
def test_json_in_utf8_is_accepted(value):
    check_content_type([value], [])
    check_content_type([value], ["identity"])


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["text/plain"],
        ["application/x-www-form-urlencoded"],
        ["application/json; charset=utf-16"],
        ["application/json; charset=utf-8; charset=utf-16"],
        ["application/json, text/plain"],
        ["application/jsonp"],
        ["application/problem+json"],
        ["application/json; boundary=x"],
        ["application/json", "application/json"],
        [" application/json\n"],
    ],
)
def test_any_other_media_type_is_unsupported(values):
    with pytest.raises(UnsupportedMediaType):
        check_content_type(values, [])


def test_a_compressed_body_is_unsupported():
    with pytest.raises(UnsupportedMediaType):
        check_content_type(["application/json"], ["gzip"])


class Login(StrictModel):
    identifier: str
    remember: bool = False
    count: int = 0


@pytest.mark.parametrize("value", [1, True, None, ["x"], {"$ne": ""}, 1.5, b"x"])
def test_a_text_field_takes_only_a_text(value):
    with pytest.raises(ValidationError):
        Login.model_validate({"identifier": value})


@pytest.mark.parametrize("extra", [{"is_admin": True}, {"remember": 1}, {"remember": "true"}, {"count": "1"}])
def test_unknown_fields_and_lookalikes_are_refused(extra):
    with pytest.raises(ValidationError):
        Login.model_validate({"identifier": "x", **extra})


def test_a_refused_model_does_not_print_its_input():
    with pytest.raises(ValidationError) as caught:
        Login.model_validate({"identifier": ["hunter2"]})
    assert "hunter2" not in str(caught.value)


def test_a_body_cannot_be_changed_after_it_was_checked():
    login = Login(identifier="x")
    with pytest.raises(ValidationError):
        login.identifier = "y"
