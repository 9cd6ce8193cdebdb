"""What a verifier is made with is judged where it is made."""

from __future__ import annotations

import ssl

import pytest

from keyturn import Bounds, IssuerKeys, KeySet, Owns, Verifier, errors
from keyturn.http import Fetched
from keyturn.testing.issuer import OfflineIssuer

ISSUER = "https://auth.example.com"


@pytest.mark.parametrize(
    "options",
    [
        {"audience": ""},
        {"leeway_seconds": -1},
        {"leeway_seconds": 31},
        {"max_lifetime_seconds": 0},
        {"keys": KeySet.of(), "bounds": Bounds()},
        {"keys": KeySet.of(), "jwks_origins": ["https://keys.example.com"]},
        {"keys": KeySet.of(), "ssl_context": ssl.create_default_context()},
    ],
    ids=" and ".join,
)
def test_an_argument_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match=r"audience|leeway|lifetime|fetched"):
        Verifier(**{"issuer": ISSUER, "audience": "notes"} | options)


@pytest.mark.parametrize(
    "options",
    [
        {"min_fresh_seconds": 0},
        {"refetch_seconds": 0},
        {"fetch_seconds": 0},
        {"fetch_seconds": 61},
        {"max_response_bytes": 0},
        {"default_fresh_seconds": 29},
        {"max_fresh_seconds": 299},
        {"max_stale_seconds": 599},
        {"max_stale_seconds": float("nan")},
        {"fetch_seconds": float("nan")},
        {"refetch_seconds": float("inf")},
    ],
    ids=repr,
)
def test_bounds_that_bound_nothing_or_contradict_each_other_are_refused(options):
    with pytest.raises(ValueError, match="bound"):
        Bounds(**options)


def test_what_a_verifier_accepts_cannot_be_changed_later():
    guard = Verifier(ISSUER, "notes")
    with pytest.raises(AttributeError):
        guard.policy.audience = "other"
    assert repr(guard) == "Verifier('https://auth.example.com', 'notes')"


def test_verifiers_of_two_audiences_share_one_fetch(live):
    with_two = IssuerKeys(live.issuer)
    first, second = (Verifier(live.issuer, audience, keys=with_two) for audience in ("one", "two"))
    assert first.verify(live.token_for("user", audience="one")).subject == "user"
    assert second.verify(live.token_for("user", audience="two")).subject == "user"
    with pytest.raises(errors.WrongAudience):
        first.verify(live.token_for("user", audience="two"))
    first.close()
    live.rotate()
    assert second.verify(live.token_for("user", audience="two")).subject == "user"
    with_two.close()
    assert live.fetches == 2


def test_the_bound_on_a_fetch_holds_for_metadata_and_keys_together(clock):
    issuer = OfflineIssuer(clock=clock)
    allowed = []

    class Slow:
        def prepare(self):
            """Nothing is slow to load."""

        def get(self, url, *, seconds, headers=None):
            allowed.append(seconds)
            clock.advance(seconds=3)
            body = f'{{"issuer": "{issuer.issuer}", "jwks_uri": "{issuer.issuer}/keys"}}'.encode()
            return Fetched(status=200, headers={"content-type": "application/json"}, body=body)

        def close(self):
            """Nothing is open."""

    for fetch_seconds in (5, 2):
        keys = IssuerKeys(issuer.issuer, new_fetcher=Slow, clock=clock, bounds=Bounds(fetch_seconds=fetch_seconds))
        with pytest.raises(errors.KeysUnavailable):
            Verifier(issuer.issuer, issuer.audience, keys=keys, clock=clock).prepare()
        keys.close()
    assert allowed == [5, 2, 2]


async def test_a_path_is_compared_in_a_loop_as_in_plain_code(keyturn_issuer):
    caller = keyturn_issuer.verifier().verify(keyturn_issuer.token_for("user"))
    assert await Owns("user_id").check_async(caller, {"user_id": "user"}) is None
    with pytest.raises(errors.NotFound):
        await Owns("user_id").check_async(caller, {"user_id": "other"})
