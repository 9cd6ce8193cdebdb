"""The keys of one issuer, fetched and kept: rules from ``key_state``, thread from ``background``, I/O from ``http``."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Final

from keyturn.background import DONE, Background
from keyturn.bounds import Bounds
from keyturn.discovery import Discovery
from keyturn.errors import IssuerFault, KeysUnavailable, UnknownKey
from keyturn.http import Fetched, Fetcher, HttpFetcher
from keyturn.issuer_url import check_issuer, origin
from keyturn.key_state import REFRESH_FROM, Budget, Held, Moment, Step
from keyturn.ports import Clock, SystemClock
from keyturn.verifier import DEFAULT_ALGORITHM, algorithm

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from keyturn.discovery import FetchedKeys
    from keyturn.keys import KeySet
    from keyturn.waiting import Flow

_log: Final = logging.getLogger("keyturn.keys")


class IssuerKeys:
    """The key set of ``issuer``: discovered, fetched in a thread, refreshed before it goes stale.

    Share one between the verifiers of several audiences. ``jwks_origins`` names further origins that its metadata may
    point to (``https://keys.example.com``); without it, only the issuer's own. Nothing is fetched before it is needed.

    Raises:
        ValueError: ``issuer`` or an origin is not an https address (http on this machine alone).
    """

    def __init__(
        self,
        issuer: str,
        *,
        bounds: Bounds | None = None,
        jwks_origins: Iterable[str] = (),
        ssl_context: ssl.SSLContext | None = None,
        new_fetcher: Callable[[], Fetcher] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.bounds = bounds or Bounds()
        self._origins = tuple(jwks_origins)
        if None in map(origin, self._origins):
            raise ValueError("an origin of a key set is an https address (http on this machine alone)")
        self._clock: Clock = clock or SystemClock()
        self._new_fetcher = new_fetcher or partial(
            HttpFetcher, max_bytes=self.bounds.max_response_bytes, ssl_context=ssl_context
        )
        self._issuer = check_issuer(issuer)
        self._discovery = Discovery(issuer, bounds=self.bounds, other_origins=self._origins)
        self._held = Held()
        self._sought: str | None = None
        self._loaded: Future[None] = Future()
        # So that no waiter who goes away cancels it for the others.
        self._loaded.set_running_or_notify_cancel()
        self._budget = Budget(self.bounds.refetch_seconds)
        self._background = Background(self._refresh, name="keyturn-keys", overdue_seconds=2 * self.bounds.fetch_seconds)

    def holding(self, kid: str) -> Flow[KeySet]:
        """The key set for a token of ``kid``, which is in it; waits for a fetch only if there is no other way.

        Raises:
            UnknownKey: the issuer has no such key.
            KeysUnavailable: the issuer is away, and what is held is too old or does not know the key; or it was
                asked for unknown keys so often that it may not be asked for this one yet.
        """
        arrived = self._now()
        while True:
            held, now = self._held, self._now()
            match held.step(kid, arrived=arrived, now=now, bounds=self.bounds):
                case Step.USE:
                    return held.keys
                case Step.USE_AND_REFRESH:
                    self._refresh_soon(held, now)
                    return held.keys
                case Step.FETCH:
                    yield from self._waited(self._fetched_since(held))
                case Step.LOOK_FOR_KEY:
                    yield from self._waited(self._look_for(kid, held, now))
                case Step.REFUSE_TOKEN:
                    raise UnknownKey("the issuer has no key of this name")
                case Step.CANNOT_KNOW:
                    self._refresh_soon(held, now)
                    raise self._unavailable("the issuer is away")

    def prepared(self) -> Flow[None]:
        """Fetch once, if that has not been done: for start-up and readiness.

        Raises:
            KeysUnavailable: there are no keys yet, and the issuer does not answer.
        """
        if self._held.began is None:
            yield from self._waited(self._background.run())
        if self._held.began is None:
            raise self._unavailable("the issuer is away")

    def close(self) -> None:
        """Fetch no more. What is held is used until it is too old."""
        self._background.close()
        self._say_loaded()

    def _now(self) -> Moment:
        return Moment(wall_ms=self._clock.now_ms(), monotonic_seconds=self._clock.monotonic_seconds())

    def _refresh_soon(self, held: Held, now: Moment) -> None:
        if not self._background.is_running and held.may_try(now, bounds=self.bounds):
            self._background.run()

    def _fetched_since(self, held: Held) -> Future[None] | None:
        """A fetch to wait for, unless one ended after ``held`` was looked at: that one is not made again."""
        with self._background.lock:
            return self._background.run() if self._held is held else DONE

    def _look_for(self, kid: str, held: Held, now: Moment) -> Future[None] | None:
        with self._background.lock:
            if self._held is not held:
                return DONE
            if not self._background.is_running:
                if not self._budget.take(now):
                    if kid in held.missing:
                        raise UnknownKey("the issuer had no key of this name when it was last asked for it")
                    # Not a 401: the key may have been published since the last fetch, and nobody asked.
                    raise self._unavailable("the issuer was asked enough", seconds=self._budget.seconds_until_next)
                self._sought = kid
            return self._background.run()

    def _waited(self, run: Future[None] | None) -> Flow[None]:
        if run is None:
            raise self._unavailable("the verifier is closed")
        if not self._loaded.done():
            # Once in a process, and waited for apart: a cold disk takes its time, which says nothing of the issuer.
            yield self._loaded
        yield run
        if not run.done():
            raise self._unavailable("the issuer is slow")

    def _unavailable(self, message: str, *, seconds: float | None = None) -> KeysUnavailable:
        seconds = self.bounds.refetch_seconds if seconds is None else seconds
        return KeysUnavailable(message, retry_after_seconds=max(1, ceil(seconds)))

    def _refresh(self) -> float:
        with self._background.lock:
            sought, self._sought = self._sought, None
        began, found = self._now(), None
        try:
            with closing(self._new_fetcher()) as fetcher:
                self._load(fetcher)
                began = self._now()
                found = self._fetch(fetcher, began)
        except IssuerFault as fault:
            self._tell(fault)
        finally:
            # Also where something failed that nobody foresaw: who waits must not ask again at once, and again.
            self._keep(found, began=began, sought=sought)
        return self.bounds.refetch_seconds if found is None else REFRESH_FROM * found.fresh_seconds

    def _load(self, fetcher: Fetcher) -> None:
        # What is slow to import is imported here, in nobody's way, and before the time of the answers is taken.
        try:
            algorithm(DEFAULT_ALGORITHM)
            fetcher.prepare()
        finally:
            self._say_loaded()

    def _say_loaded(self) -> None:
        with self._background.lock:
            if not self._loaded.done():
                self._loaded.set_result(None)

    def _fetch(self, fetcher: Fetcher, began: Moment) -> FetchedKeys:
        deadline = began.monotonic_seconds + self.bounds.fetch_seconds

        def get(url: str) -> Fetched:
            left = deadline - self._clock.monotonic_seconds()
            if left <= 0:
                raise IssuerFault("the answers take too long")
            return fetcher.get(url, seconds=left)

        return self._discovery.fetch(get, now_seconds=began.monotonic_seconds)

    def _keep(self, found: FetchedKeys | None, *, began: Moment, sought: str | None) -> None:
        ended = self._now()
        with self._background.lock:
            if not self._background.is_current:
                return
            if found is None:
                self._held = self._held.after_failure(ended=ended)
                return
            if found.keys.keys() - self._held.keys.keys():
                self._budget.give_back()
            if self._held.is_away:
                _log.info("%s is back", self._issuer)
            self._held = Held.after_success(found, began=began, ended=ended, sought=sought, before=self._held)

    def _tell(self, fault: IssuerFault) -> None:
        # Once, not at every attempt of an hour.
        level = logging.DEBUG if self._held.is_away else logging.WARNING
        _log.log(level, "the keys of %s cannot be fetched: %s", self._issuer, fault)
