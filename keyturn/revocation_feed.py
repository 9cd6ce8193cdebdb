"""The revocation feed of an issuer, polled in a thread: what strict guards know of sessions that have been ended.

``Verifier(issuer, audience, revocations=RevocationFeed(issuer, key=...))``. Rules are in ``revocation`` and
``feed_state``, the thread in ``background``, questions in ``feed_reader``.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Final, assert_never

from keyturn.background import Background
from keyturn.errors import IssuerFault, RevocationUnknown
from keyturn.feed_reader import FeedReader, NoPage, Page
from keyturn.feed_state import FeedBounds, Progress, Sight
from keyturn.key_state import Moment
from keyturn.ports import Clock, SystemClock
from keyturn.revocation import MAX_ENTRIES, KnownRevocations

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from concurrent.futures import Future

    from keyturn.http import Fetcher
    from keyturn.issuer_keys import IssuerKeys
    from keyturn.keys import VerifyingKey
    from keyturn.principal import Principal
    from keyturn.revocation_statement import Statement

_log: Final = logging.getLogger("keyturn.revocations")


class RevocationFeed:
    """Knows which sessions and users of ``issuer`` were ended.

    ``key`` is one of the issuer's feed keys: base64 of 32 bytes, without its number. Make one for the process; several
    verifiers may share it. Nothing is fetched before the first question; then every ``poll_seconds``. Where nothing
    could be learned for ``max_stale_seconds``, every question is answered with RevocationUnknown, never with a guess.

    What the feed says is verified with ``keys``, those of the first verifier that is given the feed unless others are.
    ``max_entries`` bounds the memory: see ``KnownRevocations``. ``url`` is the feed's address where it is not below the
    issuer's.

    Raises:
        ValueError: an argument is out of range, or an address is not secure.
    """

    def __init__(
        self,
        issuer: str,
        *,
        key: str,
        poll_seconds: float = 5,
        max_stale_seconds: float = 30,
        max_entries: int = MAX_ENTRIES,
        keys: Mapping[str, VerifyingKey] | IssuerKeys | None = None,
        url: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        fetcher: Fetcher | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.bounds = FeedBounds(poll_seconds=poll_seconds, max_stale_seconds=max_stale_seconds)
        self._issuer = issuer
        self._clock: Clock = clock or SystemClock()
        self._reader = FeedReader(
            issuer, key=key, keys=keys, url=url, ssl_context=ssl_context, fetcher=fetcher, clock=self._clock
        )
        self._known = KnownRevocations(max_entries=max_entries)
        self._sight, self._progress = Sight(), Progress()
        self._closed = False
        self._background = Background(
            self._poll, name="keyturn-revocations", overdue_seconds=2 * self.bounds.fetch_seconds
        )

    def is_revoked(self, principal: Principal) -> bool:
        """Whether the session or user of ``principal`` was ended, as far as was heard.

        Raises:
            RevocationUnknown: nothing was heard for too long, or far too much at once.
        """
        now = self._now()
        if not self._sight.is_clear(now, bounds=self.bounds):
            self._poll_soon(now)
            raise self._unknown("nothing was heard of revocations for too long")
        if self._sight.is_due(now, bounds=self.bounds):
            self._poll_soon(now)
        if self._known.is_blind(now_ms=now.wall_ms):
            raise self._unknown("more was revoked than can be remembered")
        return self._known.is_revoked(principal)

    def pending(self) -> Future[None] | None:
        """What to wait for before asking: the first poll, or the one after a pause of the whole process."""
        if not self._needs_poll():
            return None
        with self._background.lock:
            # Asked again where no poll can end in between: what has just been read is not read once more.
            return self._background.run() if self._needs_poll() else None

    def offer_keys(self, keys: Mapping[str, VerifyingKey] | IssuerKeys, *, issuer: str) -> None:
        """Verify with a verifier's keys, where none were given and it is of the same issuer."""
        self._reader.offer_keys(keys, issuer=issuer)

    def close(self) -> None:
        """Poll no more. What is known is soon too old to answer with."""
        with self._background.lock:
            self._closed, is_in_use = True, self._background.is_running
            self._background.close()
        if not is_in_use:
            self._reader.close()

    def __repr__(self) -> str:
        return f"RevocationFeed({self._issuer!r})"

    def _needs_poll(self) -> bool:
        return not self._sight.is_clear(self._now(), bounds=self.bounds) and self._sight.is_worth_waiting()

    def _now(self) -> Moment:
        return Moment(wall_ms=self._clock.now_ms(), monotonic_seconds=self._clock.monotonic_seconds())

    def _unknown(self, message: str) -> RevocationUnknown:
        return RevocationUnknown(message, retry_after_seconds=max(1, round(self.bounds.poll_seconds)))

    def _poll_soon(self, now: Moment) -> None:
        if not self._background.is_running and self._sight.may_try(now, bounds=self.bounds):
            self._background.run()

    def _poll(self) -> float:
        try:
            return self._polled()
        finally:
            if self._closed:
                self._reader.close()

    def _polled(self) -> float:
        try:
            self._reader.prepare()
            began = self._now()
            while self._read_page(began):
                pass
        except IssuerFault as fault:
            _log.warning("the revocation feed cannot be read: %s", fault)
            self._keep(self._sight.after_failure(ended=self._now()))
        # Spreads polls, and hides nothing.
        return self.bounds.pause_seconds(failures=self._sight.failures, chance=random.random())  # noqa: S311

    def _read_page(self, began: Moment) -> bool:
        """Ask once and learn; whether there is more. Raises IssuerFault."""
        progress, now = self._progress, self._now()
        if now.since(began) > self.bounds.fetch_seconds:
            raise IssuerFault("it has more pages than could be read in time")
        found = self._reader.read(
            progress.cursor,
            etag="" if progress.needs_signature(now, bounds=self.bounds) else progress.etag,
            seconds=self.bounds.fetch_seconds,
            earliest=self.bounds.earliest(now),
        )
        match found:
            case Page(statement=statement, etag=etag):
                return self._learn(statement, progress.after_page(statement, etag=etag, now=now))
            case NoPage.NOTHING_NEW:
                return self._learn(None, progress.unchanged(now))
            case NoPage.UNKNOWN_CURSOR:
                return self._learn(None, Progress())
            case _:
                assert_never(found)

    def _learn(self, statement: Statement | None, progress: Progress) -> bool:
        with self._background.lock:
            if not self._background.is_current:
                raise IssuerFault("it was given up on")
            if statement is not None:
                self._known.apply(statement)
            self._known.expire(now_ms=self._clock.now_ms())
            self._progress = progress
            if progress.complete_since is not None:
                self._sight = Sight(complete_since=progress.complete_since, tried=self._now())
        return progress.complete_since is None

    def _keep(self, sight: Sight) -> None:
        with self._background.lock:
            if self._background.is_current:
                self._sight = sight
