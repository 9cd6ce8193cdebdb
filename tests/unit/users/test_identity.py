from __future__ import annotations

import pytest

from service.kernel.email import parse_email
from service.kernel.username import parse_username
from service.users.identity import IdentityKeys

KEYS = IdentityKeys(bytes(range(32)))
ADDRESS = "ada.lovelace+work@example.com"
EMAIL = parse_email(ADDRESS)
USERNAME = parse_username("ada-lovelace")


def test_one_name_has_one_key_in_every_process():
    assert KEYS.of(EMAIL) == IdentityKeys(bytes(range(32))).of(parse_email(ADDRESS))
    assert KEYS.of(USERNAME) == IdentityKeys(bytes(range(32))).of(parse_username("ada-lovelace"))


@pytest.mark.parametrize("spelled", ["Ada.Lovelace+Work@Example.COM", "ADA.LOVELACE+WORK@EXAMPLE.COM"])
def test_every_spelling_of_an_address_leads_to_one_key(spelled):
    assert KEYS.of(parse_email(spelled)) == KEYS.of(EMAIL)


def test_every_spelling_of_a_username_leads_to_one_key():
    assert KEYS.of(parse_username("Ada-Lovelace")) == KEYS.of(USERNAME)


@pytest.mark.parametrize("other", ["adalovelace+work@example.com", "ada.lovelace@example.com"])
def test_dots_and_tags_are_part_of_an_address(other):
    assert KEYS.of(parse_email(other)) != KEYS.of(EMAIL)


def test_the_kind_and_the_version_stand_before_the_key():
    assert KEYS.of(EMAIL).startswith("e1#")
    assert KEYS.of(USERNAME).startswith("u1#")
    assert len(KEYS.of(EMAIL)) == len("e1#") + 64


def test_no_key_carries_a_name_and_nobody_makes_one_without_ours():
    assert "ada" not in KEYS.of(EMAIL)
    assert IdentityKeys(bytes(32)).of(EMAIL) != KEYS.of(EMAIL)
