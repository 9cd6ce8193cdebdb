"""kill -9 of a worker before and after each of its calls to the store: no half state, on any journey."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.journeys.book import KILLED
from tests.support.live import LONG, by_turns
from tests.support.store_faults import SERVED_SILENCE, SILENCE
from tests.support.wire import Wire

MOST_CALLS = 12


async def answered_before_the_stop(worker, request, proxy):
    """Send ``request``, and kill ``worker`` when the planned call is reached. Whether its answer came before that."""
    wire = await Wire.open(worker.url)
    await wire.send(request.method, request.path, request.body, form=request.form, bearer=request.bearer)
    answer = asyncio.create_task(wire.receive())
    stopped = asyncio.create_task(proxy.reached.wait())
    await asyncio.wait([answer, stopped], return_when=asyncio.FIRST_COMPLETED)
    answered = answer.done()
    worker.kill()
    results = await asyncio.gather(answer, return_exceptions=True)
    stopped.cancel()
    await wire.aclose()
    if answered:
        assert results[0].status == request.status
    return answered


BOTH = (("before", SILENCE), ("after", SERVED_SILENCE))
# A process for each call takes long: quick machines kill at every other, before it in one journey, after in the next.
KILLS = [
    pytest.param(journey, fault, id=f"{journey}-{when}")
    for turn, journey in enumerate(KILLED)
    for when, fault in (BOTH if LONG else BOTH[turn % 2 :][:1])
]


@pytest.mark.parametrize(("journey", "fault"), KILLS)
async def test_a_worker_killed_at_any_call_leaves_no_half_state(workers, stage, proxy, journey, fault):
    async def answers_in_spite_of_a_kill_at(call):
        person = stage(call)
        worker = await workers.start(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
        request, known = await journey.prepare(person)
        proxy.inject(fault, at=call)
        answered = await answered_before_the_stop(worker, request, proxy)
        await journey.check(person, known, answered)
        return answered

    places = by_turns(journey.name, MOST_CALLS)
    for call in places:
        if await answers_in_spite_of_a_kill_at(call):
            # Of a journey with one call the second is beyond its end.
            assert call > 1 or not await answers_in_spite_of_a_kill_at(0)
            return
    pytest.fail(f"no answer after {MOST_CALLS} calls: {proxy.seen}")
