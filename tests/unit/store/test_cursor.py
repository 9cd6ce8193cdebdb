from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyturn import base64url
from service.store.cursor import MAX_CURSOR_CHARACTERS, Cursors
from tests.support.store import CountedEntropy

MASTER = bytes(range(32))
START = {"uid": b"\x00" * 16, "sid": b"\xff" * 16}
QUERY = "sessions#" + "00" * 16
CURSOR = Cursors(MASTER, CountedEntropy()).seal(START, query=QUERY)


def opened(cursor, *, query=QUERY, master=MASTER):
    return Cursors(master, CountedEntropy()).open(cursor, query=query)


def test_a_cursor_is_opened_by_any_process_with_the_key():
    assert opened(CURSOR) == START


KEYS = st.dictionaries(
    st.text("abcklid", min_size=2, max_size=8),
    st.binary(max_size=64) | st.text(max_size=20) | st.integers(),
    max_size=2,
)


@given(KEYS)
def test_a_key_comes_back_as_it_was(start):
    cursors = Cursors(MASTER, CountedEntropy())
    assert cursors.open(cursors.seal(start, query="q"), query="q") == start


def test_nobody_reads_a_key_in_its_cursor():
    raw = base64url.decode(CURSOR)
    assert START["sid"] not in raw
    assert base64.b64encode(START["sid"]) not in raw


def test_one_key_is_sealed_differently_each_time():
    cursors = Cursors(MASTER, CountedEntropy())
    assert cursors.seal(START, query=QUERY) != cursors.seal(START, query=QUERY)


@pytest.mark.parametrize("query", ["sessions#" + "01" * 16, "sessions", "", QUERY + " "])
def test_a_cursor_of_another_list_means_nothing_here(query):
    assert opened(CURSOR, query=query) is None


def test_a_cursor_under_another_key_means_nothing():
    assert opened(CURSOR, master=bytes(32)) is None


def test_a_forged_cursor_is_refused_whichever_bit_was_changed():
    raw = base64url.decode(CURSOR)
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        assert opened(base64url.encode(bytes(forged))) is None


@pytest.mark.parametrize("length", range(0, len(CURSOR), 4))
def test_a_truncated_cursor_is_refused(length):
    assert opened(CURSOR[:length]) is None


@pytest.mark.parametrize("respelled", [CURSOR + "=", CURSOR + "==", CURSOR[:9] + "\n" + CURSOR[9:], CURSOR + "!"])
def test_a_cursor_has_one_spelling(respelled):
    assert opened(respelled) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_cursor_opens_for_its_own_query_and_for_no_other(sealed_for, opened_for):
    cursors = Cursors(MASTER, CountedEntropy())
    expected = START if sealed_for == opened_for else None
    assert cursors.open(cursors.seal(START, query=sealed_for), query=opened_for) == expected


@pytest.mark.parametrize("cursor", ["", "x", "Zoë" * 4, "\ud800", "????", "=" * 8, "A" * (MAX_CURSOR_CHARACTERS + 1)])
def test_what_is_no_cursor_is_refused(cursor):
    assert opened(cursor) is None


def test_a_sealed_key_of_ours_is_far_below_the_limit():
    assert len(CURSOR) * 4 < MAX_CURSOR_CHARACTERS
