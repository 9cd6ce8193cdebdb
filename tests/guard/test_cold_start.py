"""The first request of a process: a disk that is slow to hand the libraries over says nothing of the issuer."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from keyturn import Bounds, RevocationFeed, Verifier, errors
from keyturn.http import Fetched, default_ssl_context
from keyturn.issuer_keys import IssuerKeys
from tests.guard.conftest import AUDIENCE
from tests.support.feed_issuer import FEED_KEY

ROOT = Path(__file__).resolve().parents[2]
FETCH_SECONDS = 1
COLD = f"""
import asyncio, sys, time

class ColdDisk:
    def find_spec(self, name, path=None, target=None):
        if name == "httpx":
            time.sleep({FETCH_SECONDS} + 0.2)

sys.meta_path.insert(0, ColdDisk())
from keyturn import Bounds, Verifier
issuer, audience, token, way = sys.argv[1:]
guard = Verifier(issuer, audience, bounds=Bounds(fetch_seconds={FETCH_SECONDS}))
assert "httpx" not in sys.modules
print((asyncio.run(guard.verify_async(token)) if way == "async" else guard.verify(token)).subject)
assert "httpx" in sys.modules
"""


@pytest.mark.parametrize("way", ["async", "plain"])
def test_the_first_token_of_a_cold_process_is_accepted_though_imports_take_longer_than_a_fetch_may(live, way):
    done = subprocess.run(
        [sys.executable, "-c", COLD, live.issuer, AUDIENCE, live.token_for("user"), way],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("user\n", 0), done.stderr


@pytest.mark.parametrize(
    "wrong",
    [("SSL_CERT_FILE", "/nowhere/ca.pem", "FileNotFoundError"), ("ALL_PROXY", "gopher://proxy.test", "ValueError")],
    ids=lambda wrong: wrong[0],
)
def test_an_environment_that_no_client_can_be_made_of_is_said_and_is_no_way_in(
    live, guard_of, monkeypatch, caplog, wrong
):
    name, value, kind = wrong
    monkeypatch.setenv(name, value)
    default_ssl_context.cache_clear()
    guard = guard_of(live)
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(live.token_for("user"))
    assert f"cannot be fetched: no certificates, or a bad proxy: {kind}" in caplog.text
    feed = RevocationFeed(live.issuer, key=FEED_KEY, poll_seconds=1, max_stale_seconds=2)
    pending = feed.pending()
    assert pending is not None
    pending.result(20)
    with pytest.raises(errors.RevocationUnknown):
        feed.is_revoked(None)
    assert "the revocation feed cannot be read: no certificates, or a bad proxy" in caplog.text
    assert live.asked == []
    feed.close()
    default_ssl_context.cache_clear()


class SlowToLoad:
    """Takes an hour to load, and then answers at once."""

    def __init__(self, issuer):
        self.issuer = issuer

    def prepare(self):
        self.issuer.clock.advance(seconds=3600)

    def get(self, url, *, seconds, headers=None):
        assert seconds > 0
        document = f'{{"issuer": "{self.issuer.issuer}", "jwks_uri": "{self.issuer.issuer}/keys"}}'.encode()
        body = self.issuer.jwks_bytes() if url.endswith("/keys") else document
        return Fetched(status=200, headers={"content-type": "application/json"}, body=body)

    def close(self):
        """Nothing is open."""


def test_the_bound_of_a_fetch_begins_when_everything_is_loaded(still):
    keys = IssuerKeys(still.issuer, new_fetcher=lambda: SlowToLoad(still), clock=still.clock, bounds=Bounds())
    guard = Verifier(still.issuer, AUDIENCE, keys=keys, clock=still.clock)
    guard.prepare()
    assert guard.verify(still.token_for("user")).subject == "user"
    keys.close()


class NeverLoaded(SlowToLoad):
    """Loads until it is let go."""

    def __init__(self, issuer):
        super().__init__(issuer)
        self.let_go = threading.Event()

    def prepare(self):
        self.let_go.wait(20)


def test_loading_is_waited_for_apart_from_the_fetch_and_no_longer_once_closed(still):
    fetcher = NeverLoaded(still)
    keys = IssuerKeys(still.issuer, new_fetcher=lambda: fetcher, clock=still.clock)
    first, second = keys.holding("key-1"), keys.holding("key-1")
    loading = next(first)
    assert next(second) is loading
    assert not loading.done()
    assert first.send(None) is not loading
    keys.close()
    assert loading.done()
    fetcher.let_go.set()
