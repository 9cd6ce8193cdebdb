from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.secret import Secret
from service.passwords import offline
from service.passwords.breach import Breach
from service.passwords.data.build import table_of
from service.passwords.offline import DIGEST_BYTES, OfflineBreachList, variants_of

EMBEDDED = OfflineBreachList.embedded()


async def asked(password, found=EMBEDDED):
    return await found.contains(Secret(password))


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "password1234567",
        "123456789012345",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "iloveyouiloveyou",
        "PASSWORDPASSWORD",
        "Passwordpassword2024",
        "Sunshine!1",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",  # full-width letters
        "\uff30assword" * 4,
    ],
)
async def test_a_common_password_is_listed_in_its_simple_disguises(password):
    assert await asked(password) is Breach.LISTED


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "seven bright red ducks",
        "password und sieben rote Enten",
        "sunshine 4829 1736 0558",
        "пароль из многих слов",
        "short",
        "",
    ],
)
async def test_what_is_not_common_is_clean(password):
    assert await asked(password) is Breach.CLEAN


@pytest.mark.parametrize("password", ["half a pair \ud800", "x" * 1025])
async def test_what_can_never_be_a_password_is_unknown(password):
    assert await asked(password) is Breach.UNKNOWN


def test_no_more_than_four_signs_at_the_end_are_taken_for_decoration():
    assert "sunshine" in variants_of("sunshine1234")
    assert "sunshine" not in variants_of("sunshine12345")


def test_variants_shorter_than_any_password_are_not_looked_up():
    assert variants_of("abcabcabcabc") == ("abcabcabcabc",)
    assert variants_of("dragon99") == ("dragon99",)


def test_the_embedded_list_is_sorted_without_doubles_and_large_enough():
    entries = [EMBEDDED._entry(index) for index in range(len(EMBEDDED))]
    assert entries == sorted(set(entries))
    assert len(entries) > 90_000
    assert {len(entry) for entry in entries} == {DIGEST_BYTES}


async def test_every_entry_is_found_and_its_neighbours_are_not():
    found = OfflineBreachList(table=table_of(f"password number {index}" for index in range(0, 200, 2)))
    for index in range(200):
        expected = Breach.CLEAN if index % 2 else Breach.LISTED
        assert await asked(f"password number {index} x"[:-2], found) is expected, index


@pytest.mark.parametrize("table", [b"", b"1234", b"1234567"])
def test_a_damaged_file_stops_the_start(table):
    with pytest.raises(ValueError, match="damaged"):
        OfflineBreachList(table=table)


def test_a_missing_file_stops_the_start(monkeypatch, tmp_path):
    monkeypatch.setattr(offline, "files", lambda _package: tmp_path)
    with pytest.raises(FileNotFoundError):
        OfflineBreachList.embedded()


async def test_fresh_passwords_are_not_refused_by_chance():
    for number in range(5000):
        assert await asked(f"a fresh one, {number * 7919} ducks and {number} geese") is Breach.CLEAN


@given(st.text(st.characters(), max_size=300))
async def test_no_text_makes_the_list_raise(password):
    assert await asked(password) in Breach


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40))
async def test_whatever_is_listed_is_listed_twice_over_too(text):
    found = OfflineBreachList(table=table_of([offline.folded(text)]))
    assert await asked(text, found) is (Breach.LISTED if len(offline.folded(text)) >= 8 else Breach.CLEAN)
