"""From an address to a principal: what a service does with the library on its first day."""

from __future__ import annotations

import asyncio

import pytest

from keyturn import Verifier, errors
from keyturn.issuer_url import WELL_KNOWN
from tests.guard.conftest import AUDIENCE, JWKS_PATH


def test_the_first_token_fetches_metadata_and_keys_and_the_second_nothing(live, guard_of):
    guard = guard_of(live)
    assert live.asked == []
    assert guard.verify(live.token_for("user", scopes=["notes:read"])).has_scope("notes:read")
    assert guard.verify(live.token_for("another")).subject == "another"
    assert live.asked == [WELL_KNOWN, JWKS_PATH]


async def test_plain_code_and_event_loops_share_keys_and_rules(live, guard_of):
    guard = guard_of(live)
    token = live.token_for("user")
    assert await guard.verify_async(token) == await asyncio.to_thread(guard.verify, token)
    assert live.fetches == 1
    for refused in (live.forged(), live.expired(), live.wrong_audience(), live.wrong_issuer(), live.refresh_token()):
        with pytest.raises(errors.TokenError) as in_a_loop:
            await guard.verify_async(refused)
        with pytest.raises(type(in_a_loop.value)):
            guard.verify(refused)
    assert live.fetches == 1


def test_a_loop_after_another_finds_the_verifier_as_it_was(live, guard_of):
    guard = guard_of(live)
    for _ in range(3):
        live.rotate()
        assert asyncio.run(guard.verify_async(live.token_for("user"))).subject == "user"


def test_a_service_that_is_ready_has_its_keys(live, guard_of):
    guard = guard_of(live)
    guard.prepare()
    asyncio.run(guard.prepare_async())
    assert live.fetches == 1
    guard.verify(live.token_for("user"))
    assert live.fetches == 1


def test_pinned_keys_are_all_that_there_is(live):
    guard = Verifier(live.issuer, AUDIENCE, keys=dict(live.keys()))
    assert guard.verify(live.token_for("user")).subject == "user"
    live.rotate()
    with pytest.raises(errors.UnknownKey):
        guard.verify(live.token_for("user"))
    guard.prepare()
    assert live.asked == []


def test_the_lines_of_a_request_are_read_strictly(live, guard_of):
    guard = guard_of(live)
    token = live.token_for("user")
    assert guard.authenticate([f"Bearer {token}"]).subject == "user"
    assert asyncio.run(guard.authenticate_async([f"bearer {token}"])).subject == "user"
    with pytest.raises(errors.NoToken):
        guard.authenticate([])
    with pytest.raises(errors.BadAuthorization):
        guard.authenticate([f"Bearer {token}", f"Bearer {token}"])
