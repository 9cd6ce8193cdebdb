"""Identical refreshes of one process: together they are one pair of calls; one after another they are not."""

from __future__ import annotations

import asyncio

import pytest

from service.sessions.refresh import Refresh
from service.users.repo import UserRepo
from tests.support.accounts import make_person
from tests.support.people import bearer, refresh, sign_in


@pytest.fixture
async def tokens(client):
    return await sign_in(client, (await make_person(client)).email)


@pytest.fixture
def loads(monkeypatch):
    """Each read of a user; one that is given an event waits for it before it answers."""
    seen, real = [], UserRepo.load

    async def watched(self, user_id):
        found = await real(self, user_id)
        seen.append(found)
        watched.has_read.set()
        for gate in watched.gates[len(seen) - 1 : len(seen)]:
            await gate.wait()
        return found

    watched.gates, watched.has_read = [], asyncio.Event()
    monkeypatch.setattr(UserRepo, "load", watched)
    watched.seen = seen
    return watched


async def test_a_browser_that_sends_its_token_five_times_at_once_costs_one_refresh(client, tokens, loads):
    answers = await asyncio.gather(*(refresh(client, tokens["refresh_token"]) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5
    assert len(loads.seen) == 1
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert (await refresh(client, successor)).status_code == 200


async def test_a_refusal_is_everybodys_and_is_counted_once(client, tokens, clock):
    await refresh(client, tokens["refresh_token"])
    clock.advance(seconds=60)
    answers = await asyncio.gather(*(refresh(client, tokens["refresh_token"]) for _ in range(3)))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "invalid_grant")] * 3
    metrics = client.app.state.services.get(Refresh).audit.log.metrics
    assert metrics.reuses._value.get() == 1


async def test_revoked_token_a_refresh_begun_after_the_end_was_acknowledged_gets_no_answer_from_before_it(
    client, tokens, loads
):
    """The first has written and read, and waits; then everything is ended; then the same token comes again."""
    held = asyncio.Event()
    loads.gates = [held]
    early = asyncio.create_task(refresh(client, tokens["refresh_token"]))
    await loads.has_read.wait()
    loads.gates = []
    ended = await client.post("/v1/logout-all", headers=bearer(tokens))
    assert ended.status_code == 204
    late = await refresh(client, tokens["refresh_token"])
    assert late.status_code == 401
    held.set()
    await early
