from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.kernel.email import Email
from service.kernel.identifier import parse_identifier
from service.kernel.text import NameRefusal
from service.kernel.username import Username


def test_what_has_an_at_is_an_address():
    assert parse_identifier("Alice@Example.com") == Email(address="Alice@example.com", canonical="alice@example.com")


def test_what_has_none_is_a_username():
    assert parse_identifier("Alice") == Username(display="Alice", canonical="alice")


def test_a_reserved_name_that_an_operator_gave_can_sign_in():
    assert parse_identifier("admin") == Username(display="admin", canonical="admin")


def test_a_refusal_says_why_in_the_words_of_its_kind():
    assert parse_identifier("alice@localhost") is NameRefusal.HOST_WITHOUT_DOT
    assert parse_identifier("al") is NameRefusal.TOO_SHORT


@given(st.text(max_size=60))
def test_one_text_never_names_two_kinds_of_account(text):
    found = parse_identifier(text)
    if not isinstance(found, NameRefusal):
        assert isinstance(found, Email) == ("@" in found.canonical) == ("@" in text)
