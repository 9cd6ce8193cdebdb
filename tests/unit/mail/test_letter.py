from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.letter import SHARDS, LetterSeal, LetterUnreadable, Place, new_place, shard_name
from service.mail.message import MailKind, MailMessage
from tests.support.outbox import CODE, MASTER, TO, TOKEN, message
from tests.support.store import CountedEntropy

NOW_MS = 1_800_000_000_000
PLACE = new_place(now_ms=NOW_MS, entropy=CountedEntropy())
SEAL = LetterSeal(master=MASTER, entropy=CountedEntropy())


@given(st.sampled_from(["en", "de", "de-AT"]), st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}\.example", fullmatch=True))
def test_what_was_sealed_opens_in_its_place(locale, address):
    sent = message(address, locale=locale)
    assert SEAL.open(SEAL.seal(sent, PLACE), PLACE) == sent


def test_an_address_beyond_ascii_and_a_mail_without_values_open_too():
    sent = MailMessage(to="jörg@example.com", template=MailKind.PASSWORD_CHANGED)
    assert SEAL.open(SEAL.seal(sent, PLACE), PLACE) == sent


def test_who_reads_the_table_reads_nothing_of_the_mail():
    sealed = SEAL.seal(message(), PLACE)
    for secret in (TO, TO.partition("@")[0], TOKEN, CODE, "reset_password", "https"):
        assert secret.encode() not in sealed


def test_no_two_seals_of_one_mail_are_alike():
    assert len({SEAL.seal(message(), PLACE) for _ in range(50)}) == 50


@given(st.data())
def test_a_letter_that_was_changed_in_any_bit_does_not_open(data):
    sealed = bytearray(SEAL.seal(message(), PLACE))
    index = data.draw(st.integers(min_value=0, max_value=len(sealed) * 8 - 1))
    sealed[index // 8] ^= 1 << index % 8
    with pytest.raises(LetterUnreadable):
        SEAL.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27, 28])
def test_a_letter_that_was_cut_short_does_not_open(length):
    with pytest.raises(LetterUnreadable):
        SEAL.open(SEAL.seal(message(), PLACE)[:length], PLACE)


def test_a_letter_that_was_moved_to_another_place_does_not_open():
    sealed = SEAL.seal(message(), PLACE)
    for elsewhere in (
        replace(PLACE, shard="o#9"),
        replace(PLACE, position=PLACE.position[:-1] + "x"),
        Place(shard="o", position=f"{PLACE.shard[2:]}|{PLACE.position}"),
    ):
        with pytest.raises(LetterUnreadable):
            SEAL.open(sealed, elsewhere)


def test_a_letter_sealed_under_another_key_does_not_open():
    sealed = LetterSeal(master=bytes(32), entropy=CountedEntropy()).seal(message(), PLACE)
    with pytest.raises(LetterUnreadable):
        SEAL.open(sealed, PLACE)


def test_why_a_letter_does_not_open_is_said_without_quoting_it():
    with pytest.raises(LetterUnreadable) as caught:
        SEAL.open(b"x" * 40, PLACE)
    assert caught.value.__cause__ is None
    assert str(caught.value) == "the letter does not open in this place"


def test_places_are_ordered_by_time_and_differ():
    entropy = CountedEntropy()
    places = [new_place(now_ms=now_ms, entropy=entropy) for now_ms in (9, 10, 10, NOW_MS)]
    assert [place.position for place in places[:1] + places[3:]] == sorted(
        place.position for place in places[:1] + places[3:]
    )
    assert len({place.message_id for place in places}) == 4
    assert {place.shard for place in places} <= {shard_name(number) for number in range(SHARDS)}


def test_the_name_of_a_mail_is_in_its_place_and_tells_no_time():
    assert len(PLACE.message_id) == 32
    assert PLACE.position == f"{NOW_MS}#{PLACE.message_id}"
