"""The revocation feed of an issuer, polled in a thread: what strict guards know of sessions that have been ended.

``Verifier(issuer, audience, revocations=RevocationFeed(issuer, key=...))``. Rules are in ``revocation`` and
``feed_state``, the thread in ``background``, I/O in ``http``.
"""

from __future__ import annotations

import base64
import binascii
import logging
import random
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from keyturn.background import Background
from keyturn.errors import GuardError, IssuerFault, RevocationUnknown
from keyturn.feed_state import FeedBounds, Progress, Sight
from keyturn.http import Fetched, Fetcher, HttpFetcher
from keyturn.issuer_keys import IssuerKeys
from keyturn.issuer_url import check_issuer
from keyturn.key_state import Moment
from keyturn.ports import Clock, SystemClock
from keyturn.revocation import MAX_ENTRIES, KnownRevocations
from keyturn.revocation_statement import MAX_CHARACTERS, MEDIA_TYPE, Statement, parse_statement, read_statement
from keyturn.waiting import drive

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from concurrent.futures import Future

    from keyturn.keys import VerifyingKey
    from keyturn.principal import Principal

_log: Final = logging.getLogger("keyturn.revocations")

PATH: Final = "/v1/revocations"
_KEY_BYTES: Final = 32


class RevocationFeed:
    """Knows which sessions and users of ``issuer`` were ended, at most ``bound_seconds`` ago as a rule.

    ``key`` is one of the issuer's feed keys: base64 of 32 bytes, without its number. Make one for the process; several
    verifiers may share it. Nothing is fetched before the first question; then every ``poll_seconds``. Where nothing
    could be learned for ``max_stale_seconds``, every question is answered with RevocationUnknown, never with a guess.

    ``keys`` verifies what the feed says: share the ``IssuerKeys`` of your verifier, or leave it out. ``max_entries``
    bounds the memory: see ``KnownRevocations``. ``url`` is the feed's address where it is not below the issuer's.

    Raises:
        ValueError: an argument is out of range.
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
        self._issuer = check_issuer(issuer)
        self._url = check_issuer(url or issuer.rstrip("/") + PATH)
        self._authorization = f"Bearer {_checked_key(key)}"
        self._clock: Clock = clock or SystemClock()
        self._owned: IssuerKeys | None = None
        if keys is None:
            keys = self._owned = IssuerKeys(issuer, ssl_context=ssl_context, clock=clock)
        self._keys = keys
        self._fetcher = fetcher or HttpFetcher(max_bytes=MAX_CHARACTERS, ssl_context=ssl_context)
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
        now = self._now()
        if self._sight.is_clear(now, bounds=self.bounds) or not self._sight.is_worth_waiting():
            return None
        return self._background.run()

    def close(self) -> None:
        """Poll no more. What is known is soon too old to answer with."""
        with self._background.lock:
            self._closed, is_in_use = True, self._background.is_running
            self._background.close()
        if self._owned is not None:
            self._owned.close()
        if not is_in_use:
            self._fetcher.close()

    def __repr__(self) -> str:
        return f"RevocationFeed({self._issuer!r})"

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
                self._fetcher.close()

    def _polled(self) -> float:
        began = self._now()
        try:
            while self._read_page(began):
                pass
        except IssuerFault as fault:
            _log.warning("the revocation feed cannot be read: %s", fault)
            self._keep(self._sight.after_failure(ended=self._now()))
            return self.bounds.pause_seconds(failures=self._sight.failures, chance=_chance())
        return self.bounds.pause_seconds(failures=0, chance=_chance())

    def _read_page(self, began: Moment) -> bool:
        """Ask once and learn; whether there is more. Raises IssuerFault."""
        progress, now = self._progress, self._now()
        if now.since(began) > self.bounds.fetch_seconds:
            raise IssuerFault("it has more pages than could be read in time")
        fetched = self._ask(progress, now)
        if fetched.status == HTTPStatus.BAD_REQUEST and progress.cursor:
            # A cursor of other keys, or of another issuer's store: begin anew.
            return self._learn(None, Progress())
        if fetched.status == HTTPStatus.NOT_MODIFIED and progress.etag:
            return self._learn(None, progress.unchanged(now))
        return self._learn(
            *progress.heard(self._statement(fetched, progress), etag=fetched.headers.get("etag"), now=now)
        )

    def _ask(self, progress: Progress, now: Moment) -> Fetched:
        headers = {"Authorization": self._authorization, "Accept": MEDIA_TYPE}
        if progress.etag and not progress.needs_signature(now, bounds=self.bounds):
            headers["If-None-Match"] = progress.etag
        url = f"{self._url}?cursor={quote(progress.cursor)}" if progress.cursor else self._url
        return self._fetcher.get(url, seconds=self.bounds.fetch_seconds, headers=headers)

    def _statement(self, fetched: Fetched, progress: Progress) -> Statement:
        _check_answer(fetched)
        unverified = parse_statement(fetched.body.decode("ascii", "replace"))
        return read_statement(
            unverified,
            key=self._key(unverified.kid),
            expected_issuer=self._issuer,
            expected_cursor=progress.cursor,
            earliest=self.bounds.earliest(self._now()),
        )

    def _key(self, kid: str) -> VerifyingKey:
        try:
            keys = (
                drive(self._keys.holding(kid), seconds=self.bounds.fetch_seconds)
                if isinstance(self._keys, IssuerKeys)
                else self._keys
            )
        except GuardError as fault:
            raise IssuerFault(f"the statement's key is not to be had: {fault.code}") from None
        if kid not in keys:
            raise IssuerFault("the statement's key is unknown")
        return keys[kid]

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


def _check_answer(fetched: Fetched) -> None:
    match fetched.status:
        case HTTPStatus.OK:
            if fetched.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
                raise IssuerFault("the answer is no statement by its media type")
        case HTTPStatus.UNAUTHORIZED:
            raise IssuerFault("the feed key is not accepted: see KEYTURN_REVOCATION_FEED_KEYS of the issuer")
        case HTTPStatus.NOT_FOUND:
            raise IssuerFault("the issuer has no revocation feed: it is on while it has KEYTURN_REVOCATION_FEED_KEYS")
        case _:
            raise IssuerFault(f"the answer has status {fetched.status}")


def _checked_key(key: str) -> str:
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ValueError("key is not the base64 of 32 bytes (a feed key without its number)")
    return key


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads polls, and hides nothing
