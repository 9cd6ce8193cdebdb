from __future__ import annotations

import copy
import json
import logging
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.secret import Secret

VALUE = "correct horse battery staple"


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        lambda secret: f"{secret}",
        lambda secret: "%s" % secret,  # noqa: UP031
        lambda secret: repr([secret, {"password": secret}]),
    ],
)
@pytest.mark.parametrize("value", [VALUE, VALUE.encode()])
def test_formatting_shows_a_mask(show, value):
    assert "horse" not in show(Secret(value))
    assert "redacted" in show(Secret(value))


def test_a_log_line_shows_a_mask(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("signing in with %s", Secret(VALUE))
    assert "horse" not in caplog.text


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_not_serialised(write):
    with pytest.raises(TypeError):
        write(Secret(VALUE))


def test_a_secret_has_no_dictionary_to_leak_through():
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


@given(st.text())
def test_the_value_comes_out_when_asked_for_by_name(value):
    assert Secret(value).reveal() == value


@given(st.lists(st.text(max_size=3), min_size=2, max_size=2) | st.lists(st.binary(max_size=3), min_size=2, max_size=2))
def test_equal_secrets_are_those_of_equal_values(values):
    one, other = values
    assert Secret(one).same_as(Secret(other)) == (one == other)
    assert (Secret(one) == Secret(other)) == (one == other)


def test_a_lone_surrogate_is_compared_and_does_not_raise():
    assert Secret("\ud800").same_as(Secret("\ud800"))
    assert not Secret("\ud800").same_as(Secret("\udc00"))


def test_a_secret_is_never_equal_to_a_bare_value():
    assert Secret(VALUE) != VALUE


def test_equal_secrets_are_one_member_of_a_set():
    assert len({Secret(VALUE), Secret(VALUE), Secret("other")}) == 2
