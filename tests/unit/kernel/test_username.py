from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.text import NameRefusal
from service.kernel.username import RESERVED, Username, parse_username

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "names" / "usernames.json").read_text(encoding="utf-8"))
NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,30}[a-zA-Z0-9]", fullmatch=True)


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["why"])
def test_a_username_has_one_spelling(vector):
    assert parse_username(vector["typed"]) == Username(display=vector["typed"], canonical=vector["canonical"])


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_what_is_no_username_is_refused_with_its_reason(vector):
    refusal = parse_username(vector["typed"])
    assert isinstance(refusal, NameRefusal), refusal
    assert refusal.code == vector["code"]


@given(NAMES)
def test_every_case_of_a_username_is_one_account(name):
    canonical = {parse_username(spelling, reserved=frozenset()).canonical for spelling in (name, name.upper())}
    assert canonical == {name.lower()}


@given(NAMES)
def test_parsing_the_canonical_form_again_changes_nothing(name):
    canonical = parse_username(name, reserved=frozenset()).canonical
    assert parse_username(canonical, reserved=frozenset()) == Username(display=canonical, canonical=canonical)


@given(st.text(max_size=40))
def test_any_text_is_answered_with_a_plain_name_or_a_reason(text):
    name = parse_username(text)
    if isinstance(name, Username):
        assert name.canonical.isascii()
        assert "@" not in name.canonical
        assert name.canonical not in RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_every_reserved_name_is_one_that_could_otherwise_be_chosen(name):
    assert parse_username(name) is NameRefusal.RESERVED
    assert parse_username(name, reserved=frozenset()) == Username(display=name, canonical=name)
