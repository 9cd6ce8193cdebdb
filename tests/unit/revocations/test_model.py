from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.ids import SessionId, UserId, id_text
from service.revocations.items import (
    epoch_of,
    from_item,
    id_of,
    is_session,
    kept_of,
    partition,
    place,
    place_of,
    time_of,
    to_item,
)
from service.revocations.model import BUCKET_SECONDS, SHARDS, FeedLife, SessionEnded, UserEnded, bucket_of
from service.store.codec import decode_item, encode_item
from tests.unit.revocations.conftest import LIFE, NOW_MS, session_ended, user_ended

IDS = st.binary(min_size=16, max_size=16)
TIMES = st.integers(0, 9_999_999_999_999)
ENTRIES = st.one_of(
    st.builds(SessionEnded, session_id=IDS.map(SessionId), at_ms=TIMES),
    st.builds(
        UserEnded,
        user_id=IDS.map(UserId),
        epoch=st.integers(0, 2**40),
        kept=st.none() | IDS.map(SessionId),
        at_ms=TIMES,
    ),
)


@given(ENTRIES)
def test_an_entry_comes_back_from_its_item_as_it_was(entry):
    item = decode_item(encode_item(to_item(entry, retain_seconds=400)))
    where, kept = from_item(item)
    assert (where, time_of(where), item["ttl"]) == (place(entry), entry.at_ms, entry.at_ms // 1000 + 400)
    assert is_session(where) == isinstance(entry, SessionEnded)
    if is_session(where):
        assert (id_of(where), kept_of(kept)) == (id_text(entry.session_id), None)
    else:
        assert (id_of(where), epoch_of(where)) == (id_text(entry.user_id), entry.epoch)
        assert kept_of(kept) == (None if entry.kept is None else id_text(entry.kept))


@given(ENTRIES, ENTRIES)
def test_the_feed_is_in_the_order_of_time_and_no_two_entries_share_a_place(one, other):
    if one.at_ms < other.at_ms:
        assert place_of(one.at_ms) < place(one) < place_of(other.at_ms) < place(other)
    assert time_of(place(one)) == one.at_ms
    if place(one) == place(other):
        # The epoch is in the place, and what is kept follows from it: one raise of one epoch is one transaction.
        assert (type(one), one.at_ms) == (type(other), other.at_ms)


def test_two_raises_of_an_epoch_in_one_millisecond_are_two_entries():
    assert place(user_ended(1, epoch=1)) != place(user_ended(1, epoch=2))


def test_an_item_holds_ids_and_times_and_is_small():
    item = encode_item(to_item(user_ended(1, kept=SessionId(b"k" * 16)), retain_seconds=404))
    assert item.keys() == {"pk", "sk", "kp", "ttl"}
    size = sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())
    assert size < 110


def test_the_writes_of_one_moment_are_spread_over_all_shards():
    partitions = {to_item(session_ended(number), retain_seconds=1)["pk"] for number in range(256)}
    assert partitions == {partition(bucket_of(NOW_MS), shard) for shard in range(SHARDS)}


def test_an_entry_is_remembered_until_the_last_token_that_it_ends_has_expired():
    # Read before the end was written (two calls of 10 s, clocks 2 s apart each way), 300 s of life, and 30 s that the
    # most lenient guard adds.
    assert (LIFE.settle_seconds, LIFE.retain_seconds) == (24, 354)
    assert LIFE.oldest_ms(NOW_MS) == NOW_MS - 354_000


def test_a_reading_is_complete_as_far_as_a_slow_clock_and_a_long_flight_allow():
    assert LIFE.floor_ms(NOW_MS) == NOW_MS - 14_000


@pytest.mark.parametrize(
    ("from_ms", "now_ms", "buckets"),
    [
        (0, 1, [0]),
        (0, BUCKET_SECONDS * 1000 - 4_001, [0]),
        # A writer whose clock is ahead writes to the next one already.
        (0, BUCKET_SECONDS * 1000 - 4_000, [0, 1]),
        (BUCKET_SECONDS * 1000 - 1, BUCKET_SECONDS * 1000 + 14_000, [0, 1]),
        (BUCKET_SECONDS * 1000, BUCKET_SECONDS * 1000 + 14_000, [1]),
    ],
)
def test_every_bucket_that_may_hold_something_new_is_read(from_ms, now_ms, buckets):
    assert list(LIFE.buckets(from_ms, now_ms)) == buckets


def test_a_long_life_of_access_tokens_is_a_long_memory():
    assert FeedLife(access_seconds=86_400, skew_seconds=2, flight_seconds=10).retain_seconds == 86_454
