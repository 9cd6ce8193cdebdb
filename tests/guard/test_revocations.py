"""The port for revocations: asked for every good token, and never guessed."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from keyturn import errors


class Feed:
    """Knows which sessions are revoked; ``unknown`` when its word is too old."""

    def __init__(self, *revoked):
        self.revoked = revoked
        self.asked = 0
        self.unknown = False

    def is_revoked(self, principal):
        self.asked += 1
        if self.unknown:
            raise errors.RevocationUnknown("too old")
        return principal.session_id in self.revoked


class SlowFeed(Feed):
    """Has to learn first."""

    def __init__(self, *revoked):
        super().__init__(*revoked)
        self.unknown = True
        self.first = Future()
        self.first.set_running_or_notify_cancel()

    def pending(self):
        return None if self.first.done() else self.first

    def learn(self):
        self.unknown = False
        self.first.set_result(None)


async def test_a_revoked_session_is_refused_in_both_ways(keyturn_issuer):
    guard = keyturn_issuer.verifier(revocations=Feed("gone"))
    gone, here = (keyturn_issuer.token_for("user", session=session) for session in ("gone", "here"))
    assert guard.verify(here).session_id == "here"
    for refused in (lambda: guard.verify(gone), lambda: asyncio.run(guard.verify_async(gone))):
        with pytest.raises(errors.Revoked):
            await asyncio.to_thread(refused)


def test_only_a_good_token_is_worth_the_question(keyturn_issuer):
    feed = Feed()
    guard = keyturn_issuer.verifier(revocations=feed)
    for token in (keyturn_issuer.forged(), keyturn_issuer.expired(), keyturn_issuer.wrong_audience()):
        with pytest.raises(errors.TokenError):
            guard.verify(token)
    assert feed.asked == 0


def test_fail_closed_what_is_not_known_is_503_and_no_pass(keyturn_issuer):
    feed = Feed()
    feed.unknown = True
    with pytest.raises(errors.RevocationUnknown):
        keyturn_issuer.verifier(revocations=feed).verify(keyturn_issuer.token_for("user"))


def test_one_that_has_to_learn_first_is_waited_for(keyturn_issuer):
    feed = SlowFeed("gone")
    guard = keyturn_issuer.verifier(revocations=feed)
    threading.Timer(0.05, feed.learn).start()
    with pytest.raises(errors.Revoked):
        guard.verify(keyturn_issuer.token_for("user", session="gone"))


async def test_it_is_waited_for_in_a_loop_as_well(keyturn_issuer):
    feed = SlowFeed()
    guard = keyturn_issuer.verifier(revocations=feed)
    waiting = asyncio.create_task(guard.verify_async(keyturn_issuer.token_for("user")))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.learn()
    assert (await waiting).subject == "user"
