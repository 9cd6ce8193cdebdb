from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.audit import items
from service.audit.entry import Entry
from service.audit.event import EventKind
from service.kernel.ids import SessionId
from service.store.codec import decode_item, encode_item
from service.telemetry.request_facts import NO_REQUEST, RequestFacts
from tests.support.clock import EPOCH_MS
from tests.unit.audit.conftest import OPERATOR, USER, make_event

ID = f"{EPOCH_MS}#0000#0123456789abcdef"
DAY = "20270115"
RETENTION = 3600


def make_entry(event=None, facts=NO_REQUEST, event_id=ID):
    return Entry(event_id=event_id, time_ms=int(event_id[:13]), event=event or make_event(), facts=facts)


def size_of(item):
    """An item's size as DynamoDB counts it, a little too large for numbers."""
    size = 0
    for name, attribute in encode_item(item).items():
        ((kind, raw),) = attribute.items()
        size += len(name.encode()) + (1 if kind == "BOOL" else len(raw if kind == "B" else raw.encode()))
    return size


def read(item):
    return items.from_item(decode_item(encode_item(item)))


@given(
    st.text(max_size=3000),
    st.text(max_size=3000),
    st.text(max_size=3000),
    st.sampled_from(EventKind),
    st.text(max_size=300),
)
def test_cost_an_item_is_below_one_kilobyte_whatever_was_sent(address, user_agent, request_id, kind, outcome):
    facts = RequestFacts(address=address, user_agent=user_agent, request_id=request_id)
    event = make_event(kind=kind, outcome=outcome, session_id=SessionId(b"s" * 16), actor=OPERATOR, alarming=True)
    made = items.to_items(make_entry(event, facts), retention_seconds=RETENTION)
    assert [item["pk"] for item in made] == [f"u#{'75' * 16}", f"d#{DAY}#f"]
    assert all(size_of(item) < 1024 for item in made)


def test_text_is_cut_between_two_characters():
    facts = RequestFacts(user_agent="a" + "é" * 200)
    (item,) = items.to_items(make_entry(facts=facts), retention_seconds=RETENTION)
    assert item["ua"] == "a" + "é" * 119


def test_an_event_comes_back_as_it_went():
    facts = RequestFacts(address="192.0.2.0/24", user_agent="Browser/1.0", request_id="r" * 32)
    event = make_event(session_id=SessionId(b"s" * 16), actor=OPERATOR, alarming=True)
    for item in items.to_items(make_entry(event, facts), retention_seconds=RETENTION):
        kept = read(item)
        assert (kept.event_id, kept.time_ms) == (ID, EPOCH_MS)
        assert (kept.kind, kept.outcome, kept.alarming) == ("sign_in", "ok", True)
        assert (kept.user_id, kept.session_id) == (USER, b"s" * 16)
        assert (kept.address, kept.user_agent, kept.request_id) == ("192.0.2.0/24", "Browser/1.0", "r" * 32)
        assert kept.actor == "6f6f6f6f-6f6f-6f6f-6f6f-6f6f6f6f6f6f"


def test_what_is_not_known_is_not_stored():
    (item,) = items.to_items(make_entry(), retention_seconds=RETENTION)
    assert encode_item(item).keys() == {"pk", "sk", "kd", "oc", "uid", "ttl"}
    kept = read(item)
    assert (kept.session_id, kept.actor, kept.address, kept.user_agent, kept.request_id) == (None,) * 5
    assert kept.alarming is False


def test_an_event_of_nobody_comes_back_without_a_user():
    event = make_event(kind=EventKind.KEY_ROTATE, user_id=None)
    (item,) = items.to_items(make_entry(event), retention_seconds=RETENTION)
    assert read(item).user_id is None


def test_a_kind_of_a_newer_release_can_still_be_read():
    (item,) = items.to_items(make_entry(), retention_seconds=RETENTION)
    assert read({**item, "kd": "passkey_add"}).kind == "passkey_add"


def test_a_refresh_is_nowhere_in_the_table():
    event = make_event(kind=EventKind.REFRESH, outcome="rotated")
    assert items.to_items(make_entry(event), retention_seconds=RETENTION) == []


def test_a_burst_spreads_over_all_shards_of_its_day():
    event = make_event(kind=EventKind.THROTTLE, user_id=None, alarming=True)
    made = [
        items.to_items(make_entry(event, event_id=ID[:-1] + digit), retention_seconds=RETENTION)[0]["pk"]
        for digit in "0123456789abcdef"
    ]
    assert made == [items.feed_partition(DAY, shard) for shard in range(items.FEED_SHARDS)]


@given(st.integers(0, 4_000_000_000_000))
def test_the_day_is_of_utc(ms):
    day = items.day_of(ms)
    assert len(day) == 8
    assert items.day_of(ms - ms % 86_400_000) == items.day_of(ms - ms % 86_400_000 + 86_399_999) == day


def test_retention_is_compared_and_not_left_to_the_collector():
    (item,) = items.to_items(make_entry(), retention_seconds=RETENTION)
    assert item["ttl"] == EPOCH_MS // 1000 + RETENTION
    assert items.is_kept(item, now_ms=EPOCH_MS + RETENTION * 1000 - 1)
    assert not items.is_kept(item, now_ms=EPOCH_MS + RETENTION * 1000)
