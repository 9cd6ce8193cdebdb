from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.secret import Secret
from service.web.cookies import (
    REFRESH_COOKIE,
    NoCookie,
    PresentedCookie,
    RefusedCookie,
    delete_refresh_cookie,
    read_refresh_cookie,
    set_refresh_cookie,
)


@pytest.mark.parametrize(
    "lines",
    [
        [f"{REFRESH_COOKIE}=ktr_abc"],
        [f"a=b; {REFRESH_COOKIE}=ktr_abc; c=d"],
        ["a=b", f"{REFRESH_COOKIE}=ktr_abc"],
        [f"a=b;{REFRESH_COOKIE}=ktr_abc;"],
    ],
)
def test_the_cookie_is_found_among_others(lines):
    answer = read_refresh_cookie(lines)
    assert isinstance(answer, PresentedCookie)
    assert answer.token.reveal() == "ktr_abc"
    assert "ktr_abc" not in repr(answer)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["a=b"],
        [f"{REFRESH_COOKIE.lower()}=ktr_abc"],
        ["keyturn_refresh=ktr_abc"],
        [f"x{REFRESH_COOKIE}=ktr_abc"],
        [f'a="; {REFRESH_COOKIE} x=1"'],
    ],
)
def test_another_cookie_is_not_taken_for_it(lines):
    assert read_refresh_cookie(lines) == NoCookie()


@pytest.mark.parametrize(
    "lines",
    [
        [f"{REFRESH_COOKIE}=a; {REFRESH_COOKIE}=b"],
        [f"{REFRESH_COOKIE}=a; {REFRESH_COOKIE}=a"],
        [f"{REFRESH_COOKIE}=a", f"{REFRESH_COOKIE}=b"],
        [f"{REFRESH_COOKIE}=a; {REFRESH_COOKIE}="],
        [f"{REFRESH_COOKIE}; {REFRESH_COOKIE}=a"],
    ],
)
def test_cookie_tossing_two_of_the_name_are_refused(lines):
    assert read_refresh_cookie(lines) == RefusedCookie(reason="two refresh cookies")


@pytest.mark.parametrize("value", ["", '"ktr_abc"', "a b", "a,b", "a\x00", "\u00e9", "a" * 513, "a%20", "a=b"])
def test_a_value_that_is_no_token_is_refused(value):
    assert read_refresh_cookie([f"{REFRESH_COOKIE}={value}"]) == RefusedCookie(reason="not a token")


def test_the_cookie_has_every_attribute_of_the_host_prefix():
    header = set_refresh_cookie(Secret("ktr_abc"), max_age_seconds=60)
    assert header == f"{REFRESH_COOKIE}=ktr_abc; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert "domain" not in header.lower()


def test_the_cookie_is_deleted_with_the_same_attributes():
    assert delete_refresh_cookie() == f"{REFRESH_COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict"


@pytest.mark.parametrize(("token", "age"), [("a; Domain=x", 1), ("a\r\nX: y", 1), ("", 1), ("a", 0), ("a", -1)])
def test_header_injection_through_the_cookie_is_impossible(token, age):
    with pytest.raises(ValueError, match="not a refresh token"):
        set_refresh_cookie(Secret(token), max_age_seconds=age)


@given(st.from_regex(r"[A-Za-z0-9_.~-]{1,100}", fullmatch=True), st.text("abc=;, \t", max_size=20))
def test_what_is_set_is_read_back_beside_anything_else(value, noise):
    sent = set_refresh_cookie(Secret(value), max_age_seconds=1).split(";")[0]
    answer = read_refresh_cookie([noise, sent])
    assert isinstance(answer, PresentedCookie)
    assert answer.token.reveal() == value
