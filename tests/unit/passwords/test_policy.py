from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.email import parse_email
from service.kernel.secret import Secret
from service.kernel.username import parse_username
from service.passwords.policy import MAX_LENGTH, PasswordContext, Reason, check, normalise

NOBODY = PasswordContext()
ALICE = PasswordContext(
    email=parse_email("Alice.Liddell+news@Wonderland.example"),
    username=parse_username("White_Rabbit"),
    product="Acme Portal",
)
FINE = "seven bright red ducks"


def reasons(password, *, min_length=15, context=NOBODY):
    return check(Secret(password), min_length=min_length, context=context)


def test_a_long_password_of_any_kind_may_be_set():
    for password in (FINE, "aaaaaaaaaaaaaab", "000000000000000", "пароль из многих слов", "🦆🦊🦉" * 5, " " * 15):
        assert reasons(password, context=ALICE) == ()


@pytest.mark.parametrize("min_length", [8, 15, 20])
def test_the_minimum_is_counted_in_code_points(min_length):
    assert reasons("🦆" * (min_length - 1), min_length=min_length) == (Reason.TOO_SHORT,)
    assert reasons("🦆" * min_length, min_length=min_length) == ()


def test_the_minimum_is_counted_after_normalising():
    assert reasons("e\u0301" * 14) == (Reason.TOO_SHORT,)
    assert reasons("\ufb03" * 5) == ()  # a ligature of three letters


def test_no_setting_lowers_the_minimum_below_eight():
    with pytest.raises(ValueError, match="below 8"):
        reasons(FINE, min_length=7)


def test_the_maximum_holds_and_nothing_is_cut_off():
    longest = "duck " * 51 + "d"
    assert len(longest) == MAX_LENGTH
    assert reasons(longest) == ()
    assert normalise(Secret(longest)) == longest.encode()
    assert reasons(longest + "u") == (Reason.TOO_LONG,)
    assert normalise(Secret(longest + "u")) is None


def test_the_maximum_counts_what_normalising_makes_of_it():
    assert reasons("\ufdfa" * 15) == (Reason.TOO_LONG,)  # one letter that becomes eighteen
    assert normalise(Secret("\ufdfa" * 15)) is None


def test_the_maximum_is_not_reached_by_marks_that_compose():
    typed = "\u03b1\u0313\u0300\u0345" * MAX_LENGTH
    assert reasons(typed) == ()
    assert normalise(Secret(typed)) == ("\u1f82" * MAX_LENGTH).encode()


def test_no_letter_is_composed_of_more_than_four():
    letters = (chr(point) for point in range(sys.maxunicode + 1))
    assert max(len(unicodedata.normalize("NFD", letter)) for letter in letters) == 4


def test_attack_a_megabyte_of_combining_marks_is_refused_before_it_is_normalised():
    marks = "\u0301\u0323" * 500_000
    assert reasons(marks) == (Reason.TOO_LONG,)
    assert normalise(Secret(marks)) is None


@pytest.mark.parametrize("control", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused(control):
    assert reasons(FINE + control) == (Reason.CONTROL_CHARACTER,)


def test_joined_emoji_are_no_control_characters():
    assert reasons("👩\u200d🚀" * 5) == ()


def test_half_a_pair_is_refused_and_does_not_raise():
    assert reasons(FINE + "\ud83d") == (Reason.NOT_TEXT,)
    assert normalise(Secret(FINE + "\ud83d")) is None


def test_a_nul_is_never_hashed_so_that_no_library_stops_reading_there():
    assert normalise(Secret(FINE + "\0" + FINE)) is None


def test_spaces_are_kept():
    assert normalise(Secret("  two  words  ")) == b"  two  words  "


@given(st.text(max_size=80))
def test_all_spellings_of_a_password_are_the_same_octets(typed):
    octets = {normalise(Secret(unicodedata.normalize(form, typed))) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert octets == {normalise(Secret(typed))}


@given(st.text(st.characters(), max_size=300))
def test_whatever_may_be_set_can_be_hashed(typed):
    if not reasons(typed, min_length=8):
        assert normalise(Secret(typed)) is not None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("alice.liddell+news@wonderland.example", Reason.LIKE_EMAIL),
        ("Alice.Liddell1234567", Reason.LIKE_EMAIL),
        ("alice-LIDDELL 2024", Reason.LIKE_EMAIL),
        ("lleddilecila99", Reason.LIKE_EMAIL),
        ("wonderland.example7", Reason.LIKE_EMAIL),
        ("\uff41\uff4c\uff49\uff43\uff45liddell12", Reason.LIKE_EMAIL),
        ("whiterabbit-whiterabbit", Reason.LIKE_USERNAME),
        ("White_Rabbit!!!!!!!", Reason.LIKE_USERNAME),
        ("acme portal 12345", Reason.LIKE_PRODUCT),
        ("AcmePortalAcmePortal", Reason.LIKE_PRODUCT),
    ],
)
def test_a_password_built_on_a_name_that_everybody_knows_is_refused(password, reason):
    assert reasons(password, min_length=8, context=ALICE) == (reason,)


@pytest.mark.parametrize("password", ["alice.liddell met seven ducks", "a portal to seven ducks", "rabbit white moon"])
def test_a_name_with_enough_beside_it_is_no_likeness(password):
    assert reasons(password, context=ALICE) == ()


def test_a_very_short_name_is_like_nothing():
    context = PasswordContext(email=parse_email("a@b.co"), product="")
    assert reasons("banana12", min_length=8, context=context) == ()


def test_every_reason_that_holds_is_told():
    found = reasons("Alice.Liddell\n", context=ALICE)
    assert found == (Reason.TOO_SHORT, Reason.CONTROL_CHARACTER, Reason.LIKE_EMAIL)


def test_reasons_have_codes_of_their_own_and_sentences_with_the_lengths_that_hold():
    assert len({reason.code for reason in Reason}) == len(Reason)
    assert Reason.TOO_SHORT.sentence(min_length=12) == "Use at least 12 characters."
    assert Reason.TOO_LONG.sentence(min_length=12) == "Use at most 256 characters."
    assert all("{" not in reason.sentence(min_length=15) for reason in Reason)


def test_the_words_of_an_owner_are_its_names_and_their_parts_each_once():
    assert ALICE.words() == (
        "alice.liddell+news@wonderland.example",
        "alice",
        "liddell",
        "news",
        "wonderland",
        "example",
        "alice.liddell+news",
        "alice.liddell",
        "wonderland.example",
        "white_rabbit",
        "white",
        "rabbit",
        "acme portal",
        "acme",
        "portal",
    )
    assert PasswordContext(product="").words() == ()
