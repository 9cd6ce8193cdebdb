from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens.onetime import OneTimeKeys, code_for_reading, read_code
from tests.support.store import CountedEntropy

MASTER = bytes(range(32))
KEYS = OneTimeKeys(MASTER, purpose="signup")
ADA, EVE = "e1#ada", "e1#eve"
MADE = KEYS.new(ADA, CountedEntropy())
TOKEN, CODE = MADE.token.reveal(), MADE.code.reveal()


def test_the_link_and_the_code_lead_to_the_same_item():
    assert KEYS.read_token(TOKEN) == (MADE.key, MADE.digest)
    assert KEYS.key_of_code(ADA, CODE) == MADE.key


@given(st.text(min_size=1), st.integers())
def test_they_do_so_for_every_address_and_draw(identity_key, seed):
    made = KEYS.new(identity_key, CountedEntropy(str(seed)))
    key, digest = KEYS.read_token(made.token.reveal())
    assert (key, digest) == (made.key, made.digest)
    assert KEYS.key_of_code(identity_key, made.code.reveal()) == made.key


def test_a_token_and_a_code_have_the_promised_form():
    assert len(TOKEN) == 64
    assert len(base64.urlsafe_b64decode(TOKEN)) == 48
    assert len(CODE) == 8
    assert set(CODE) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert code_for_reading(CODE) == f"{CODE[:4]}-{CODE[4:]}"


def test_no_two_draws_are_alike():
    entropy = CountedEntropy()
    made = [KEYS.new(ADA, entropy) for _ in range(50)]
    assert len({one.token for one in made}) == len({one.key for one in made}) == 50


@pytest.mark.parametrize("other", [OneTimeKeys(MASTER, purpose="reset"), OneTimeKeys(bytes(32), purpose="signup")])
def test_a_token_of_another_purpose_or_key_leads_nowhere(other):
    assert other.read_token(TOKEN)[0] != MADE.key
    assert other.key_of_code(ADA, CODE) != MADE.key


def test_the_key_names_its_purpose():
    assert MADE.key.startswith("signup#")


def test_a_code_works_for_its_own_address_only():
    assert KEYS.key_of_code(EVE, CODE) != MADE.key


def respelled(token):
    """The same bytes in the other alphabet of base64."""
    return token.translate(str.maketrans("-_", "+/"))


def test_a_token_has_one_spelling():
    tokens = [KEYS.new(ADA, CountedEntropy(str(seed))).token.reveal() for seed in range(8)]
    told = [token for token in tokens if respelled(token) != token]
    assert told
    assert all(KEYS.read_token(respelled(token)) is None for token in told)


def test_a_changed_character_of_a_token_leads_elsewhere():
    for index in range(len(TOKEN)):
        changed = TOKEN[:index] + ("A" if TOKEN[index] != "A" else "B") + TOKEN[index + 1 :]
        assert KEYS.read_token(changed) != (MADE.key, MADE.digest)


@pytest.mark.parametrize(
    "text",
    ["", TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "!", TOKEN[:-1] + "é", TOKEN[:-1] + "\n", "\ud800" * 64, "=" * 64],
)
def test_what_is_no_token_is_refused_without_an_error(text):
    assert KEYS.read_token(text) is None


@given(st.text(max_size=80) | st.text("ABCabc019-_+/=", min_size=64, max_size=64))
def test_no_text_at_all_raises(text):
    KEYS.read_token(text)
    KEYS.key_of_code(ADA, text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0123abcd", "0123ABCD"),
        ("OoIiLl11", "00111111"),
        ("0123-abcd", "0123ABCD"),
        (" 0123 abcd ", "0123ABCD"),
        ("01-23-ab-cd", "0123ABCD"),
    ],
)
def test_misread_letters_and_separators_are_put_right(typed, meant):
    assert read_code(typed) == meant
    assert KEYS.key_of_code(ADA, typed) == KEYS.key_of_code(ADA, meant)


@pytest.mark.parametrize("typed", ["", "0123ABC", "0123ABCDE", "0123ABCU", "0123ABC!", "0123ABC\u0663", "0123\tABC"])
def test_what_is_no_code_is_refused(typed):
    assert read_code(typed) is None
    assert KEYS.key_of_code(ADA, typed) is None


def test_who_reads_the_table_finds_neither_token_nor_code_nor_address():
    stored = f"{MADE.key} {MADE.digest.hex()}"
    assert TOKEN not in stored
    assert CODE not in stored
    assert ADA not in stored
    assert hashlib.sha256(CODE.encode()).hexdigest() not in stored


def test_a_printed_one_time_token_shows_nothing_that_opens():
    assert TOKEN not in repr(MADE)
    assert CODE not in repr(MADE)
