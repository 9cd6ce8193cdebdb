"""Signing keys while the store fails: a process signs with the key that all have, or says that it cannot."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from service.base import build_keyring, open_base
from service.errors import Unavailable
from service.telemetry.metrics import Metrics
from tests.support.cases import Cases
from tests.support.live import LONG
from tests.support.store_faults import CONFLICT, FOREIGN, NOT_SERVED, SERVED, SHORT_PAGE
from tests.support.store_proxy import Span

KINDS = (NOT_SERVED[0], NOT_SERVED[3], FOREIGN[0], *SERVED, CONFLICT)
SPANS = tuple(Span)
# Each case leaves a key, and every later one reads them all: quick machines try each fault in one way, by turns.
FAULTS = [
    *((kind, span) for turn, kind in enumerate(KINDS) for span in (SPANS if LONG else SPANS[turn % len(SPANS) :][:1])),
    (SHORT_PAGE, Span.ONCE),
]
MOST_CALLS = 12
pytestmark = pytest.mark.timeout(1200 if LONG else 120)


@pytest.fixture
async def rings(engine_url, base, settings, *, clock, proxy, through):
    """Makes two key rings on the test's own tables: one behind the proxy, and one that nothing happens to."""
    through(proxy.url)
    async with open_base(settings, Metrics(registry=CollectorRegistry()), clock=clock) as behind:
        through(engine_url)
        yield lambda: (build_keyring(behind), build_keyring(base))


@pytest.fixture
def environ(environ, tmp_path):
    return {**environ, "KEYTURN_TABLE_PREFIX": f"keys-{tmp_path.name}"}


async def test_a_key_that_is_due_is_made_once_whatever_call_fails(rings, clock, proxy):
    cases = Cases()
    _, sound = rings()
    await sound.signer()
    for fault, span in FAULTS:
        for at in range(MOST_CALLS):
            # The next key is due; the one that signs is not yet at its end.
            clock.advance(seconds=30 * 86_400)
            struck, sound = rings()
            proxy.inject(fault, at=at, span=span)
            met = True
            with cases.case(f"{fault} {span.name} at call {at}"):
                try:
                    signer = await struck.signer()
                except Unavailable:
                    signer = None
                met = bool(proxy.struck)
                proxy.clear()
                expected = await sound.signer()
                assert signer is None or signer.kid == expected.kid
                assert (await struck.signer()).kid == expected.kid
                assert set((await struck.jwks()).keys) == set((await sound.jwks()).keys)
                slots = [record.slot for record in await sound.repo.all()]
                assert slots == sorted(set(slots))
            if not met:
                break
    cases.verdict()
