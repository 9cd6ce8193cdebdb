from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.kernel.email import Email, parse_email
from service.kernel.text import NameRefusal

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "names" / "emails.json").read_text(encoding="utf-8"))

ATEXT = "abcxyzABCXYZ0189!#$%&'*+/=?^_`{|}~-"
ATOMS = st.text(ATEXT, min_size=1, max_size=12)
LOCALS = st.lists(ATOMS, min_size=1, max_size=4).map(".".join)
LABELS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,10}", fullmatch=True)
HOSTS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
ADDRESSES = st.builds("{}@{}".format, LOCALS, HOSTS)
SWAPPED_CASE = st.lists(st.booleans(), min_size=120, max_size=120)


def parsed(text: str) -> Email:
    email = parse_email(text)
    assert isinstance(email, Email), email
    return email


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["why"])
def test_an_address_has_one_spelling(vector):
    assert parse_email(vector["typed"]) == Email(address=vector["address"], canonical=vector["canonical"])


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_what_is_not_one_address_is_refused_with_its_reason(vector):
    refusal = parse_email(vector["typed"])
    assert isinstance(refusal, NameRefusal), refusal
    assert refusal.code == vector["code"]


@given(ADDRESSES)
def test_an_ordinary_address_is_accepted_and_its_local_part_is_kept_for_the_mail(address):
    assert parsed(address).address.rpartition("@")[0] == address.rpartition("@")[0]


@given(ADDRESSES)
def test_parsing_again_changes_nothing(address):
    email = parsed(address)
    assert parsed(email.address) == email
    assert parsed(email.canonical).canonical == email.canonical


@given(ADDRESSES, SWAPPED_CASE)
def test_every_case_of_an_address_is_one_account(address, swaps):
    other = "".join(letter.swapcase() if swap else letter for letter, swap in zip(address, swaps, strict=False))
    assert parsed(other + address[len(other) :]).canonical == parsed(address).canonical


@given(st.text(max_size=300))
@example("\u212a@\u212a.example")
def test_any_text_is_answered_with_an_ascii_address_or_a_reason(text):
    email = parse_email(text)
    if isinstance(email, Email):
        assert email.address.isascii()
        assert email.canonical == email.address.lower()
        assert parse_email(email.canonical) == Email(address=email.canonical, canonical=email.canonical)


@given(LOCALS, st.text(st.characters(min_codepoint=0x80), min_size=1, max_size=20))
def test_a_host_outside_ascii_never_becomes_a_plain_one(local, label):
    email = parse_email(f"{local}@{label}.example")
    if isinstance(email, Email):
        assert email.canonical.rpartition("@")[2].startswith("xn--")


@given(ADDRESSES, st.characters(categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"]), st.integers(0, 200))
def test_no_invisible_character_is_let_through(address, letter, place):
    assert isinstance(parse_email(address[:place] + letter + address[place:]), NameRefusal)


def test_attack_password_reset_by_a_kelvin_sign_names_nobody_elses_account():
    for twin in ("mi\u212ae@example.org", "mike@example.org".replace("i", "\u0131"), "\uff4dike@example.org"):
        assert isinstance(parse_email(twin), NameRefusal)


def test_a_host_of_a_million_letters_is_refused_at_once():
    assert parse_email("a@" + "\u00e4" * 1_000_000) is NameRefusal.TOO_LONG
