"""A guard that polls the feed: what it refuses, what it learns from whom, and that it never guesses."""

from __future__ import annotations

import asyncio
import logging

import pytest

from keyturn import RevocationFeed, errors
from keyturn.http import Fetched
from keyturn.testing.issuer import OfflineIssuer
from tests.support.clock import ManualClock
from tests.support.feed import FEED_KEY
from tests.support.feed_issuer import MEDIA_TYPE, FeedIssuer


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def issuer(clock):
    return OfflineIssuer(clock=clock)


@pytest.fixture
def feed_issuer(issuer):
    return FeedIssuer(issuer)


@pytest.fixture
def make_feed(issuer, feed_issuer, clock):
    """Feeds whose clock stands still; the pause of their thread is in real seconds, longer than a test."""
    made = []

    def make(**options):
        options = {"poll_seconds": 500, "max_stale_seconds": 3000, "keys": issuer.keys()} | options
        made.append(RevocationFeed(issuer.issuer, key=FEED_KEY, fetcher=feed_issuer, clock=clock, **options))
        return made[-1]

    yield make
    for feed in made:
        feed.close()


@pytest.fixture
def feed(make_feed):
    return make_feed()


@pytest.fixture
def guard(issuer, feed):
    return issuer.verifier(revocations=feed)


def poll(feed):
    feed._background.run().result(timeout=10)


def token(issuer, subject="ada", *, session="s1", epoch=0):
    return issuer.token_for(subject, session=session, claims={"epoch": epoch})


def test_the_first_token_waits_until_the_feed_was_read(guard, issuer, feed_issuer):
    feed_issuer.end_session("s1")
    assert feed_issuer.asked == []
    with pytest.raises(errors.Revoked):
        guard.verify(token(issuer))
    assert guard.verify(token(issuer, session="s2")).subject == "ada"
    assert len(feed_issuer.asked) == 1


async def test_event_loops_hear_the_same(guard, issuer, feed_issuer):
    feed_issuer.end_user("ada", 1, kept="s2")
    with pytest.raises(errors.Revoked):
        await guard.verify_async(token(issuer))
    assert (await guard.verify_async(token(issuer, session="s2"))).subject == "ada"
    assert (await guard.verify_async(token(issuer, epoch=1))).subject == "ada"


async def test_a_thousand_first_tokens_cost_one_poll(guard, issuer, feed_issuer):
    good = token(issuer)
    await asyncio.gather(*(guard.verify_async(good) for _ in range(1000)))
    assert len(feed_issuer.asked) == 1


def test_who_looked_before_a_poll_ended_does_not_poll_again(feed, feed_issuer, monkeypatch):
    poll(feed)
    looked, look = [True], feed._needs_poll
    monkeypatch.setattr(feed, "_needs_poll", lambda: looked.pop() if looked else look())
    assert feed.pending() is None
    assert len(feed_issuer.asked) == 1


def test_preparing_reads_the_feed(guard, issuer, feed_issuer):
    guard.prepare()
    assert len(feed_issuer.asked) == 1
    guard.verify(token(issuer))
    assert len(feed_issuer.asked) == 1


def test_what_is_ended_later_is_heard_with_the_next_poll(guard, issuer, feed, feed_issuer):
    good = token(issuer)
    assert guard.verify(good)
    feed_issuer.end_session("s1")
    poll(feed)
    with pytest.raises(errors.Revoked):
        guard.verify(good)
    assert [cursor for cursor, _ in feed_issuer.asked] == ["", "0"]


def test_it_polls_by_itself_whether_or_not_it_is_asked(make_feed, feed_issuer):
    feed = make_feed(poll_seconds=0.05, max_stale_seconds=30)
    feed.pending().result(timeout=10)
    with feed_issuer.came:
        assert feed_issuer.came.wait_for(lambda: len(feed_issuer.asked) >= 4, timeout=20)


def test_all_pages_are_read_before_anything_is_answered(guard, issuer, feed_issuer):
    feed_issuer.page_size = 3
    for number in range(10):
        feed_issuer.end_session(f"s{number}")
    for number in range(10):
        with pytest.raises(errors.Revoked):
            guard.verify(token(issuer, session=f"s{number}"))
    assert [cursor for cursor, _ in feed_issuer.asked] == ["", "3", "6", "9"]


def test_pages_that_fail_midway_are_gone_on_with_and_nothing_is_clear_until_the_last(guard, issuer, feed, feed_issuer):
    feed_issuer.page_size = 3
    for number in range(5):
        feed_issuer.end_session(f"s{number}")
    feed_issuer.claims = {"retain": "x"}
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer, session="s4"))
    feed_issuer.claims = {}
    original, feed_issuer.get = feed_issuer.get, lambda url, **rest: _only_first(original, url, **rest)
    poll(feed)
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer, session="s4"))
    feed_issuer.get = original
    poll(feed)
    with pytest.raises(errors.Revoked):
        guard.verify(token(issuer, session="s4"))
    assert [cursor for cursor, _ in feed_issuer.asked] == ["", "", "3"]


def _only_first(get, url, **rest):
    if "cursor" in url:
        raise errors.IssuerFault("away")
    return get(url, **rest)


def test_nothing_new_keeps_what_is_known_fresh(guard, issuer, feed, feed_issuer, clock):
    guard.verify(token(issuer))
    for _ in range(10):
        clock.advance(seconds=500)
        poll(feed)
        assert guard.verify(token(issuer))


def test_word_that_nothing_is_new_is_not_signed_and_does_not_stand_for_long(guard, issuer, feed, feed_issuer, clock):
    """Whoever could answer 304 for ever would hide what is ended: half of the longest time, then it must be signed."""
    guard.verify(token(issuer))
    for _ in range(7):
        clock.advance(seconds=500)
        poll(feed)
    conditional = ["If-None-Match" in headers for _, headers in feed_issuer.asked[1:]]
    assert conditional == [True, True, False, True, True, False, True]


def test_fail_closed_after_too_long_without_word_nobody_is_let_in(guard, issuer, feed, feed_issuer, clock):
    guard.verify(token(issuer))
    feed_issuer.fault = "away"
    clock.advance(seconds=2900)
    poll(feed)
    assert guard.verify(token(issuer))
    clock.advance(seconds=100)
    with pytest.raises(errors.RevocationUnknown) as refusal:
        guard.verify(token(issuer))
    assert (refusal.value.status, refusal.value.retry_after_seconds) == (503, 500)
    feed_issuer.fault = None
    poll(feed)
    assert guard.verify(token(issuer))


def test_fail_closed_a_clock_that_is_set_back_makes_nothing_young(guard, issuer, feed_issuer, clock):
    guard.verify(token(issuer))
    feed_issuer.fault = "away"
    clock.advance(seconds=3001)
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer))


def test_after_a_pause_of_the_whole_process_the_next_token_waits_for_a_poll(guard, issuer, feed_issuer, clock):
    """A function that was frozen between two requests (AWS Lambda) has a thread that was frozen, too."""
    guard.verify(token(issuer))
    clock.advance(seconds=3600)
    feed_issuer.end_session("s1")
    with pytest.raises(errors.Revoked):
        guard.verify(token(issuer))


def test_a_poll_that_is_overdue_is_asked_for_beside_the_request(guard, issuer, feed_issuer, clock):
    """The thread stood still for a while, or stayed behind in a parent process: a token is enough to make one."""
    guard.verify(token(issuer))
    clock.advance(seconds=502)
    guard.verify(token(issuer))
    with feed_issuer.came:
        assert feed_issuer.came.wait_for(lambda: len(feed_issuer.asked) == 2, timeout=10)


def test_while_the_issuer_is_away_nobody_waits_for_it(guard, issuer, feed_issuer):
    feed_issuer.fault = "away"
    for _ in range(50):
        with pytest.raises(errors.RevocationUnknown):
            guard.verify(token(issuer))
    assert len(feed_issuer.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(status=401, headers={}, body=b""),
        Fetched(status=404, headers={}, body=b""),
        Fetched(status=429, headers={}, body=b""),
        Fetched(status=503, headers={}, body=b""),
        Fetched(status=304, headers={}, body=b""),
        Fetched(status=200, headers={"content-type": "application/json"}, body=b"{}"),
        Fetched(status=200, headers={"content-type": MEDIA_TYPE}, body=b"a.b.c"),
        Fetched(status=200, headers={"content-type": MEDIA_TYPE}, body=b"\xff"),
        Fetched(status=400, headers={}, body=b""),
    ],
    ids=lambda answer: f"{answer.status}-{answer.body!r}",
)
def test_fail_closed_whatever_is_no_statement_teaches_nothing(guard, issuer, feed_issuer, answer, caplog):
    feed_issuer.answer = answer
    with caplog.at_level(logging.WARNING, "keyturn.revocations"), pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer))
    assert "cannot be read" in caplog.text
    assert FEED_KEY not in caplog.text


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"iss": "https://other.test"}, {}),
        ({"cursor": "7"}, {}),
        ({"iat": 1}, {}),
        ({}, {"typ": "at+jwt"}),
        ({}, {"kid": "unknown"}),
    ],
)
def test_fail_closed_a_statement_of_somebody_else_or_of_another_time_teaches_nothing(
    guard, issuer, feed_issuer, claims, header
):
    feed_issuer.claims, feed_issuer.header = claims, header
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer))


def test_fail_closed_a_forged_statement_teaches_nothing(make_feed, issuer, feed_issuer, clock):
    feed = make_feed(keys=OfflineIssuer(clock=clock).keys())
    with pytest.raises(errors.RevocationUnknown):
        issuer.verifier(revocations=feed).verify(token(issuer))


def test_a_feed_verifies_with_the_keys_of_its_verifier_and_with_those_of_no_other_issuer(
    make_feed, issuer, feed_issuer, clock
):
    other, feed = OfflineIssuer(issuer="https://other.test", clock=clock), make_feed(keys=None)
    other.verifier(revocations=feed)
    guard = issuer.verifier(revocations=feed)
    feed_issuer.end_session("s1")
    with pytest.raises(errors.Revoked):
        guard.verify(token(issuer))


def test_a_cursor_that_the_issuer_does_not_know_any_more_is_given_up(guard, issuer, feed, feed_issuer):
    feed_issuer.end_session("s1")
    guard.verify(token(issuer, session="s2"))
    feed_issuer.answer = Fetched(status=400, headers={}, body=b"")
    poll(feed)
    assert [cursor for cursor, _ in feed_issuer.asked] == ["", "1", ""]
    with pytest.raises(errors.Revoked):
        guard.verify(token(issuer))


def test_a_flood_beyond_memory_is_not_known_and_beyond_that_refused_by_time(make_feed, issuer, feed_issuer, clock):
    feed = make_feed(max_entries=5)
    guard = issuer.verifier(revocations=feed)
    old = token(issuer, session="honest")
    for number in range(20):
        feed_issuer.end_session(f"s{number}")
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(old)
    clock.advance(seconds=90)
    poll(feed)
    with pytest.raises(errors.Revoked):
        guard.verify(old)
    assert guard.verify(token(issuer, session="honest"))


def test_a_closed_feed_polls_no_more_and_soon_knows_nothing(guard, issuer, feed, feed_issuer, clock):
    guard.verify(token(issuer))
    feed.close()
    assert feed_issuer.closed
    clock.advance(seconds=3001)
    with pytest.raises(errors.RevocationUnknown):
        guard.verify(token(issuer))
    assert len(feed_issuer.asked) == 1


@pytest.mark.parametrize("key", ["", "x", f"1:{FEED_KEY}", FEED_KEY[:-4], FEED_KEY + "\n"])
def test_a_key_of_another_form_is_refused_and_not_shown(key):
    with pytest.raises(ValueError, match="32 bytes") as refusal:
        RevocationFeed("https://issuer.test", key=key)
    assert not key or key not in str(refusal.value)


def test_the_key_goes_to_no_address_that_is_not_secure():
    with pytest.raises(ValueError, match="https"):
        RevocationFeed("https://issuer.test", key=FEED_KEY, url="http://issuer.test/v1/revocations")


def test_a_feed_shows_no_key_when_it_is_printed(feed):
    assert repr(feed) == "RevocationFeed('https://issuer.test')"
