from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel import base62
from service.sessions.refresh_token import MAX_GENERATION, PREFIX, RefreshKeys, RefreshToken

MASTERS = {1: b"1" * 32, 2: b"2" * 32}
KEYS = RefreshKeys(MASTERS, active_kid=1)
NONCE = b"n" * 16
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

TOKENS = st.builds(
    RefreshToken,
    kid=st.sampled_from(sorted(MASTERS)),
    user_id=st.binary(min_size=16, max_size=16),
    session_id=st.binary(min_size=16, max_size=16),
    generation=st.integers(0, MAX_GENERATION),
    secret=st.binary(min_size=20, max_size=20),
)
TOKEN = RefreshToken(kid=1, user_id=b"u" * 16, session_id=b"s" * 16, generation=7, secret=b"x" * 20)
TEXT = KEYS.encode(TOKEN)


def spell(raw):
    """``raw`` with the checksum that belongs to it, as somebody without our keys can spell it."""
    return PREFIX + base62.encode(int.from_bytes(raw), 95) + base62.encode(zlib.crc32(raw), 6)


def raw_of(text):
    return base62.decode(text[4:-6]).to_bytes(70)


@given(TOKENS)
def test_a_token_of_ours_is_read_as_it_was_written(token):
    text = KEYS.encode(token)
    assert KEYS.decode(text) == token
    assert len(text) == 105
    assert text.isascii()
    assert text.startswith("ktr_")


@given(TOKENS)
def test_what_is_read_is_spelled_the_same_again(token):
    assert KEYS.encode(KEYS.decode(KEYS.encode(token))) == KEYS.encode(token)


def test_a_token_is_laid_out_as_documented():
    raw = raw_of(TEXT)
    assert (raw[0], raw[1]) == (1, 1)
    assert raw[2:58] == b"u" * 16 + b"s" * 16 + (7).to_bytes(4) + b"x" * 20
    assert len(raw) == 70


def test_a_flipped_bit_is_refused_though_its_checksum_is_made_right():
    raw = raw_of(TEXT)
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        assert KEYS.decode(spell(bytes(forged))) is None


def test_a_changed_character_is_refused_wherever_it_stands():
    for index in range(len(TEXT)):
        for character in ("0" if TEXT[index] != "0" else "1", "-", "é"):
            assert KEYS.decode(TEXT[:index] + character + TEXT[index + 1 :]) is None


def test_a_wrong_checksum_is_refused():
    for last in ALPHABET:
        if last != TEXT[-1]:
            assert KEYS.decode(TEXT[:-1] + last) is None


@pytest.mark.parametrize("multiple", [1, 2])
def test_a_second_spelling_beyond_seventy_bytes_is_refused(multiple):
    number = base62.decode(TEXT[4:-6]) + multiple * 2**560
    assert KEYS.decode(PREFIX + base62.encode(number, 95) + TEXT[-6:]) is None


def test_ninety_five_digits_that_overflow_are_refused_and_raise_nothing():
    assert KEYS.decode(PREFIX + "z" * 101) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ktr_",
        TEXT[:-1],
        TEXT + "0",
        TEXT[4:],
        " " + TEXT,
        TEXT + "\n",
        TEXT.upper(),
        TEXT.swapcase(),
        "kta_" + TEXT[4:],
        "KTR_" + TEXT[4:],
        "ktr-" + TEXT[4:],
        TEXT[:50] + "\x00" + TEXT[51:],
        TEXT[:50] + "\u0663" + TEXT[51:],
        TEXT[:50] + "\ud800" + TEXT[51:],
        "ktr_" + "\uff10" * 101,
    ],
)
def test_what_is_no_token_is_refused(text):
    assert KEYS.decode(text) is None


@given(st.text(max_size=120) | st.text(ALPHABET, min_size=101, max_size=101).map(lambda body: PREFIX + body))
def test_no_text_at_all_raises(text):
    assert KEYS.decode(text) is None


def test_a_token_under_a_key_that_is_not_ours_is_refused():
    assert RefreshKeys({2: MASTERS[2]}, active_kid=2).decode(TEXT) is None
    assert RefreshKeys({1: b"other" * 8}, active_kid=1).decode(TEXT) is None


def test_another_version_is_refused_though_its_tag_is_right():
    raw = bytes([2]) + raw_of(TEXT)[1:58]
    assert KEYS.decode(spell(raw + KEYS._tag(1, raw))) is None


def test_a_tag_is_bound_to_its_key_number():
    raw = bytes([1, 2]) + raw_of(TEXT)[2:58]
    assert KEYS.decode(spell(raw + KEYS._tag(1, raw))) is None
    assert KEYS.decode(spell(raw + KEYS._tag(2, raw))) == replace(TOKEN, kid=2)


def test_a_retired_master_still_verifies_and_derives():
    later = RefreshKeys(MASTERS, active_kid=2)
    assert later.decode(TEXT) == TOKEN
    assert later.successor(TOKEN, kid=1, nonce=NONCE) == KEYS.successor(TOKEN, kid=1, nonce=NONCE)


@given(TOKENS, st.binary(min_size=16, max_size=16))
def test_each_retry_gets_the_same_successor(token, nonce):
    assert KEYS.successor(token, kid=2, nonce=nonce) == KEYS.successor(token, kid=2, nonce=nonce)


def test_the_successor_is_the_next_generation_of_the_same_session_under_the_named_key():
    following = KEYS.successor(TOKEN, kid=2, nonce=NONCE)
    assert (following.user_id, following.session_id) == (TOKEN.user_id, TOKEN.session_id)
    assert (following.generation, following.kid) == (8, 2)
    assert len(following.secret) == 20
    assert following.secret != TOKEN.secret


def test_a_successor_depends_on_everything_that_it_is_made_from():
    others = RefreshKeys({1: b"9" * 32}, active_kid=1)
    made = [
        KEYS.successor(TOKEN, kid=1, nonce=NONCE),
        KEYS.successor(TOKEN, kid=2, nonce=NONCE),
        KEYS.successor(TOKEN, kid=1, nonce=b"m" * 16),
        others.successor(TOKEN, kid=1, nonce=NONCE),
        *(
            KEYS.successor(replace(TOKEN, **change), kid=1, nonce=NONCE)
            for change in (
                {"secret": b"y" * 20},
                {"user_id": b"v" * 16},
                {"session_id": b"t" * 16},
                {"generation": 8},
            )
        ),
    ]
    assert len({token.secret for token in made}) == len(made)


def test_the_kid_of_the_presented_token_does_not_matter_to_its_successor():
    assert KEYS.successor(replace(TOKEN, kid=2), kid=1, nonce=NONCE) == KEYS.successor(TOKEN, kid=1, nonce=NONCE)


def test_there_is_no_successor_under_a_key_that_is_not_ours():
    assert KEYS.successor(TOKEN, kid=3, nonce=NONCE) is None


def test_the_last_generation_has_no_successor():
    assert KEYS.successor(replace(TOKEN, generation=MAX_GENERATION), kid=1, nonce=NONCE) is None
    assert KEYS.successor(replace(TOKEN, generation=MAX_GENERATION - 1), kid=1, nonce=NONCE) is not None


def test_what_is_stored_is_a_hash_of_the_secret_in_a_domain_of_its_own():
    assert TOKEN.digest == hashlib.sha256(b"rt\x01" + TOKEN.secret).digest()
    assert TOKEN.secret not in TOKEN.digest


def test_a_printed_token_shows_no_secret_and_no_id():
    shown = f"{TOKEN!r} {TOKEN}"
    assert shown == "RefreshToken(kid=1, generation=7) RefreshToken(kid=1, generation=7)"
