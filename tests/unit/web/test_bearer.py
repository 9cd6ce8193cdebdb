from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.bearer import MAX_TOKEN_CHARACTERS, Malformed, NoToken, Presented, read_bearer


@pytest.mark.parametrize("line", ["Bearer abc.def-_~+/", "bearer abc.def-_~+/", "BEARER abc.def-_~+/"])
def test_one_token_behind_the_scheme_in_any_case_is_presented(line):
    answer = read_bearer([line])
    assert isinstance(answer, Presented)
    assert answer.token.reveal() == "abc.def-_~+/"
    assert "abc" not in repr(answer)


def test_padding_ends_a_token():
    assert isinstance(read_bearer(["Bearer abc=="]), Presented)
    assert isinstance(read_bearer(["Bearer a=b"]), Malformed)


@pytest.mark.parametrize("lines", [[], ["Basic abc"], ["DPoP abc"], [""], ["Bearerabc"], ["Bearer\tabc"]])
def test_without_the_scheme_there_is_no_token(lines):
    assert read_bearer(lines) == NoToken()


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
    assert isinstance(read_bearer([line]), Malformed)


@pytest.mark.parametrize("second", ["Bearer abc", "Bearer other", "Basic abc", ""])
def test_two_authorization_headers_are_refused_whatever_they_say(second):
    assert isinstance(read_bearer(["Bearer abc", second]), Malformed)
    assert isinstance(read_bearer([second, "Bearer abc"]), Malformed)


def test_the_longest_token_passes():
    assert isinstance(read_bearer(["Bearer " + "a" * MAX_TOKEN_CHARACTERS]), Presented)


@given(st.lists(st.text(max_size=40), max_size=3))
def test_every_header_has_an_answer(lines):
    assert isinstance(read_bearer(lines), NoToken | Malformed | Presented)
