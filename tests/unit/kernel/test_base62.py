from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.base62 import decode, encode

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def by_hand(number, width):
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


@given(st.integers(0, 62**97 - 1))
def test_a_number_has_the_digits_that_it_has_by_hand_and_comes_back(number):
    assert encode(number, 97) == by_hand(number, 97)
    assert decode(encode(number, 97)) == number


@given(st.integers(1, 31))
def test_a_number_that_does_not_fit_is_refused_and_the_largest_that_fits_is_not(width):
    assert encode(62**width - 1, width) == "z" * width
    with pytest.raises(OverflowError):
        encode(62**width, width)


@given(st.text(st.sampled_from(ALPHABET + "-_ é"), max_size=40))
def test_a_text_is_read_digit_by_digit_or_not_at_all(text):
    if set(text) <= set(ALPHABET):
        assert decode(text) == sum(ALPHABET.index(one) * 62**at for at, one in enumerate(reversed(text)))
    else:
        assert decode(text) is None
