"""Tokens whose key is not known: one fetch for all who wait, few for who makes names up, none in anybody's way."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyturn import Bounds, errors
from keyturn.background import DONE
from keyturn.issuer_keys import IssuerKeys
from keyturn.key_state import BURST
from keyturn.waiting import drive
from tests.guard.conftest import JSON, JWKS_PATH, respond

THREADS, TASKS = 20, 1000


@pytest.fixture
def known(live, guard_of):
    """A guard that has the issuer's keys."""
    guard = guard_of(live, bounds=Bounds(fetch_seconds=20, refetch_seconds=60))
    guard.prepare()
    live.asked.clear()
    return guard


def holding_back(live):
    """From now on the issuer keeps the key set back until the answer is set."""
    live.held = threading.Event()
    return live.held


def test_twenty_threads_that_meet_a_new_key_cause_one_fetch(live, known):
    live.rotate()
    token, release = live.token_for("user"), holding_back(live)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(known.verify, token) for _ in range(THREADS)]
        assert live.arrived.wait(20)
        assert not any(one.done() for one in waiting)
        release.set()
        assert {one.result(20).subject for one in waiting} == {"user"}
    assert live.asked == [JWKS_PATH]


async def test_a_thousand_tasks_that_meet_a_new_key_cause_one_fetch(live, known):
    live.rotate()
    token, release = live.token_for("user"), holding_back(live)
    waiting = [asyncio.create_task(known.verify_async(token)) for _ in range(TASKS)]
    assert await asyncio.to_thread(live.arrived.wait, 20)
    assert not any(one.done() for one in waiting)
    release.set()
    assert {one.subject for one in await asyncio.gather(*waiting)} == {"user"}
    assert live.asked == [JWKS_PATH]


def test_who_looked_before_a_fetch_ended_does_not_fetch_again(live):
    keys = IssuerKeys(live.issuer)
    before = keys._held
    drive(keys.prepared(), seconds=20)
    live.asked.clear()
    assert keys._fetched_since(before) is DONE
    assert keys._look_for("made up", before, keys._now()) is DONE
    assert live.asked == []
    keys.close()


async def test_threads_and_loops_wait_for_the_same_fetch(live, known):
    live.rotate()
    token, release = live.token_for("user"), holding_back(live)
    other_loop = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(known.verify_async(token))))
    plain = asyncio.create_task(asyncio.to_thread(known.verify, token))
    here = asyncio.create_task(known.verify_async(token))
    assert await asyncio.to_thread(live.arrived.wait, 20)
    release.set()
    assert {one.subject for one in await asyncio.gather(other_loop, plain, here)} == {"user"}
    assert live.asked == [JWKS_PATH]


async def test_a_thousand_tasks_with_a_key_that_does_not_exist_cause_one_fetch_and_are_refused(live, known):
    token, release = live.unknown_key(), holding_back(live)
    waiting = [asyncio.create_task(known.verify_async(token)) for _ in range(TASKS)]
    assert await asyncio.to_thread(live.arrived.wait, 20)
    release.set()
    refusals = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in refusals} == {errors.UnknownKey}
    assert live.asked == [JWKS_PATH]


def test_denial_of_service_made_up_names_cause_few_fetches_however_many_they_are(still, guard_of):
    guard = guard_of(still)
    guard.prepare()
    assert made_up(still, guard, "made-up") == ["unknown_key"] * BURST + ["keys_unavailable"] * (200 - BURST)
    assert still.fetches == 1 + BURST
    still.clock.advance(seconds=2)
    assert made_up(still, guard, "again") == ["unknown_key"] + ["keys_unavailable"] * 199
    assert still.fetches == 1 + BURST + 1


def made_up(issuer, guard, name):
    """Why each of 200 tokens with made-up names is refused."""
    codes = []
    for number in range(200):
        with pytest.raises(errors.GuardError) as refusal:
            guard.verify(issuer.token_for("user", header={"kid": f"{name}-{number}"}))
        codes.append(refusal.value.code)
    return codes


@pytest.mark.parametrize("refetch_seconds", [0.5, 2, 7.5])
def test_denial_of_service_made_up_names_make_nobody_say_that_a_new_key_is_none(still, guard_of, refetch_seconds):
    """It cannot be known: 503 with the time after which it can be, and then the token is good."""
    guard = guard_of(still, bounds=Bounds(refetch_seconds=refetch_seconds))
    guard.prepare()
    made_up(still, guard, "made-up")
    still.rotate()
    token, fetches = still.token_for("user"), still.fetches
    for _ in range(10):
        with pytest.raises(errors.KeysUnavailable) as refusal:
            guard.verify(token)
    assert still.fetches == fetches
    assert 0 <= refusal.value.retry_after_seconds - refetch_seconds < 1
    still.clock.advance(seconds=refusal.value.retry_after_seconds)
    assert guard.verify(token).subject == "user"
    assert still.fetches == fetches + 1


def test_tokens_of_dropped_keys_and_of_names_that_were_looked_for_are_refused_also_when_no_fetch_is_left(
    still, guard_of
):
    """They must hear 401, or their honest owners would never sign in anew."""
    guard = guard_of(still)
    old = []
    for _ in range(4):
        still.rotate()
        old.append(still.token_for("user"))
    guard.prepare()
    assert guard.verify(old[0])
    still.rotate()
    still.retire()
    assert guard.verify(still.token_for("user"))
    looked_for = [still.token_for("user", header={"kid": f"made-up-{number}"}) for number in range(BURST)]
    for _ in range(3):
        for token in looked_for + old:
            with pytest.raises(errors.UnknownKey):
                guard.verify(token)
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(still.unknown_key())


def test_rotations_in_a_row_refuse_nobody_and_use_up_no_budget(still, guard_of):
    guard = guard_of(still)
    for number in range(4 * BURST):
        still.rotate()
        assert guard.verify(still.token_for(f"user-{number}")).subject == f"user-{number}"
    assert still.fetches == 4 * BURST


def test_a_key_that_was_published_while_somebody_elses_fetch_was_under_way_is_found(live, known):
    """The fetch under way may have been answered before: joining it and giving up would refuse an honest token."""
    answered, go_on = threading.Event(), threading.Event()
    stale = live.jwks_bytes()

    def answers_what_was_before(handler):
        del live.answers[JWKS_PATH]
        answered.set()
        go_on.wait(20)
        respond(handler, 200, JSON, stale)

    live.answers[JWKS_PATH] = answers_what_was_before
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(known.verify, live.unknown_key())
        assert answered.wait(20)
        live.rotate()
        second = pool.submit(known.verify, live.token_for("user"))
        with pytest.raises(TimeoutError):
            second.result(0.2)
        go_on.set()
        assert second.result(20).subject == "user"
        with pytest.raises(errors.UnknownKey):
            first.result(20)
    assert live.fetches == 2


async def test_the_loop_goes_on_while_keys_are_waited_for(live, known):
    live.rotate()
    token, release = live.token_for("user"), holding_back(live)
    waiting = asyncio.create_task(known.verify_async(token))
    assert await asyncio.to_thread(live.arrived.wait, 20)
    for _ in range(100):
        await asyncio.sleep(0)
    assert not waiting.done()
    release.set()
    assert (await waiting).subject == "user"


async def test_one_who_goes_away_takes_the_fetch_from_nobody(live, known):
    live.rotate()
    token, release = live.token_for("user"), holding_back(live)
    leaving, staying = (asyncio.create_task(known.verify_async(token)) for _ in range(2))
    assert await asyncio.to_thread(live.arrived.wait, 20)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    release.set()
    assert (await staying).subject == "user"
    assert live.fetches == 1


def test_a_token_of_the_wrong_form_causes_no_fetch(live, known):
    for token in ("", "x", "a.b.c", live.refresh_token(), live.token_for("user", header={"typ": "JWT"})):
        with pytest.raises(errors.TokenError):
            known.verify(token)
    assert live.asked == []
