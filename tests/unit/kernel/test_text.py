from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.kernel.text import (
    NameRefusal,
    folded,
    has_control_character,
    has_hidden_ascii,
    has_invisible_character,
    has_lone_surrogate,
    text_refusal,
)


def test_refusals_have_codes_of_their_own_and_sentences():
    assert len({refusal.code for refusal in NameRefusal}) == len(NameRefusal)
    assert all(refusal.sentence.endswith(".") for refusal in NameRefusal)


@given(st.text())
def test_text_that_utf_8_can_spell_has_no_lone_surrogate(text):
    assert not has_lone_surrogate(text)


@given(st.text(), st.characters(categories=["Cs"]))
def test_half_a_pair_is_seen(text, half):
    assert has_lone_surrogate(text + half)


def test_a_joiner_is_invisible_and_no_control_character():
    assert has_invisible_character("a\u200db")
    assert not has_control_character("a\u200db")
    assert has_control_character("a\x7fb")


def test_ascii_hidden_in_a_letter_is_seen_and_a_sharp_s_is_not_hidden_ascii():
    assert has_hidden_ascii("\uff41")
    assert has_hidden_ascii("\u212a")
    assert not has_hidden_ascii("stra\u00dfe")
    assert not has_hidden_ascii("plain")


@given(st.text())
def test_folding_again_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


def test_length_is_looked_at_before_anything_else():
    assert text_refusal("\ud800" * 4, max_length=3) is NameRefusal.TOO_LONG
    assert text_refusal("abc", max_length=3) is None
