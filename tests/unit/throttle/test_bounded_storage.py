from __future__ import annotations

import pytest

from service.throttle.bounded_storage import BoundedStorage


@pytest.fixture
def storage(clock):
    return BoundedStorage(clock=clock, capacity=3)


def test_a_window_counts_until_its_end_and_the_next_begins_anew(storage, clock):
    assert [storage.incr("a", 60), storage.incr("a", 60, 2)] == [1, 3]
    assert storage.get_expiry("a") == clock.now_ms() / 1000 + 60
    clock.advance(seconds=59.999)
    assert (storage.get("a"), storage.incr("a", 60)) == (3, 4)
    clock.advance(seconds=0.001)
    assert storage.get("a") == 0
    assert storage.get_expiry("a") == clock.now_ms() / 1000
    assert storage.incr("a", 60) == 1


def test_memory_is_bounded_and_forgets_the_key_used_longest_ago(storage):
    for key in "abc":
        storage.incr(key, 60)
    storage.incr("a", 60)
    storage.incr("d", 60)
    assert len(storage) == 3
    assert [storage.get(key) for key in "abcd"] == [2, 0, 1, 1]


def test_a_flood_of_networks_leaves_the_memory_bounded_and_the_busiest_client_counted(storage):
    for number in range(5000):
        storage.incr("busy", 60)
        storage.incr(f"network {number}", 60)
    assert len(storage) == 3
    assert storage.get("busy") == 5000


def test_a_key_or_all_of_them_can_be_forgotten(storage):
    for key in "ab":
        storage.incr(key, 60)
    storage.clear("a")
    assert (storage.get("a"), storage.get("b"), storage.check()) == (0, 1, True)
    assert (storage.reset(), len(storage)) == (1, 0)
