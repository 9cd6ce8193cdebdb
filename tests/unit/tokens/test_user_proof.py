from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.ids import UserId
from service.tokens.user_proof import UserProofs
from tests.support.store import CountedEntropy

MASTER = bytes(range(32))
ADA, EVE = UserId(b"a" * 16), UserId(b"e" * 16)
PROOFS = UserProofs(MASTER, purpose="reset")
MADE = PROOFS.new(ADA, CountedEntropy())
TOKEN, CODE = MADE.token.reveal(), MADE.code.reveal()


@given(st.binary(min_size=16, max_size=16), st.integers())
def test_the_link_and_the_code_lead_to_what_is_stored(user_id, seed):
    made = PROOFS.new(UserId(user_id), CountedEntropy(str(seed)))
    assert PROOFS.read_token(made.token.reveal()) == (user_id, made.token_digest)
    assert PROOFS.read_code(UserId(user_id), made.code.reveal()) == made.code_digest


def test_no_two_proofs_are_alike():
    entropy = CountedEntropy()
    made = [PROOFS.new(ADA, entropy) for _ in range(50)]
    assert len({one.token_digest for one in made}) == 50


@pytest.mark.parametrize("other", [UserProofs(MASTER, purpose="email"), UserProofs(bytes(32), purpose="reset")])
def test_a_proof_of_another_purpose_or_key_proves_nothing(other):
    assert other.read_token(TOKEN)[1] != MADE.token_digest
    assert other.read_code(ADA, CODE) != MADE.code_digest


def test_a_code_works_for_its_own_user_only():
    assert PROOFS.read_code(EVE, CODE) != MADE.code_digest


def test_a_changed_character_of_a_token_proves_nothing():
    for index in range(len(TOKEN)):
        changed = TOKEN[:index] + ("A" if TOKEN[index] != "A" else "B") + TOKEN[index + 1 :]
        assert PROOFS.read_token(changed) != (ADA, MADE.token_digest)


def test_a_token_has_one_spelling():
    tokens = [PROOFS.new(ADA, CountedEntropy(str(seed))).token.reveal() for seed in range(8)]
    told = {token: token.translate(str.maketrans("-_", "+/")) for token in tokens if set(token) & set("-_")}
    assert told
    assert all(PROOFS.read_token(respelled) is None for respelled in told.values())


def test_a_code_may_be_typed_as_people_do():
    typed = f" {CODE[:4].lower()}-{CODE[4:].lower()} "
    assert PROOFS.read_code(ADA, typed) == MADE.code_digest


@pytest.mark.parametrize("text", ["", TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "!", TOKEN[:-1] + "é", "\ud800" * 64])
def test_what_is_no_token_is_refused_without_an_error(text):
    assert PROOFS.read_token(text) is None


@pytest.mark.parametrize("text", ["", CODE[:-1], CODE + "0", CODE[:-1] + "U", CODE[:-1] + "!"])
def test_what_is_no_code_is_refused(text):
    assert PROOFS.read_code(ADA, text) is None


def test_who_reads_the_table_finds_neither_token_nor_code():
    stored = (MADE.token_digest + MADE.code_digest).hex()
    assert CODE.encode().hex() not in stored
    assert TOKEN not in stored
    assert len(MADE.token_digest) == len(MADE.code_digest) == 32


def test_a_printed_proof_shows_nothing_that_opens():
    assert TOKEN not in repr(MADE)
    assert CODE not in repr(MADE)
