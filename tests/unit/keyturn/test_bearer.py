from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn.bearer import read_bearer
from keyturn.errors import BadAuthorization, NoToken
from keyturn.strict import MAX_TOKEN_CHARACTERS


@pytest.mark.parametrize("line", ["Bearer abc.def-_~+/", "bearer abc.def-_~+/", "BEARER abc.def-_~+/"])
def test_one_token_behind_the_scheme_in_any_case_is_presented(line):
    assert read_bearer([line]) == "abc.def-_~+/"


def test_padding_ends_a_token():
    assert read_bearer(["Bearer abc=="]) == "abc=="
    with pytest.raises(BadAuthorization):
        read_bearer(["Bearer a=b"])


@pytest.mark.parametrize("lines", [[], ["Basic abc"], ["DPoP abc"], [""], ["Bearerabc"], ["Bearer\tabc"]])
def test_without_the_scheme_there_is_no_token(lines):
    with pytest.raises(NoToken):
        read_bearer(lines)


@pytest.mark.parametrize(
    "line",
    [
        "Bearer",
        "Bearer ",
        "Bearer  abc",
        "Bearer abc ",
        "Bearer abc def",
        "Bearer abc, Basic def",
        "Bearer a\u00e9",
        "Bearer \uff41",
        "Bearer abc\n",
        "Bearer =",
        "Bearer null\x00",
        "Bearer " + "a" * (MAX_TOKEN_CHARACTERS + 1),
    ],
)
def test_anything_else_behind_the_scheme_is_malformed(line):
    with pytest.raises(BadAuthorization) as refusal:
        read_bearer([line])
    assert "abc" not in str(refusal.value)


@pytest.mark.parametrize("second", ["Bearer abc", "Bearer other", "Basic abc", ""])
def test_two_authorization_headers_are_refused_whatever_they_say(second):
    for lines in (["Bearer abc", second], [second, "Bearer abc"]):
        with pytest.raises(BadAuthorization):
            read_bearer(lines)


def test_the_longest_token_passes():
    longest = "a" * MAX_TOKEN_CHARACTERS
    assert read_bearer(["Bearer " + longest]) == longest


@given(st.lists(st.text(max_size=40), max_size=3))
def test_every_header_has_an_answer(lines):
    try:
        assert read_bearer(lines)
    except (NoToken, BadAuthorization):
        return
