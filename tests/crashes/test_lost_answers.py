"""The store has served a call and its answer is lost on the way back."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.journeys import JOURNEYS, OPENLY, Request
from tests.support.live import LONG
from tests.support.people import refresh
from tests.support.store_faults import SERVED_BREAK_OFF
from tests.support.store_proxy import Span
from tests.support.wire import open_wires

MOST_CALLS = 12
# The SDK waits between its attempts, so the quick suite takes the journeys that write what the client must have.
PATIENT = [journey for journey in (*JOURNEYS, *OPENLY) if LONG or journey.name in {"refresh", "verify", "close"}]


async def ask(worker, request):
    async with open_wires([worker.url], 1) as (wire,):
        return (await wire.call(request.method, request.path, request.body, bearer=request.bearer)).status


@pytest.mark.parametrize("journey", [*JOURNEYS, *OPENLY], ids=lambda journey: journey.name)
async def test_one_lost_answer_of_the_store_is_not_noticed(workers, stage, proxy, journey):
    worker = await workers.start(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    for calls in range(MOST_CALLS):
        person = stage(calls)
        request, known = await journey.prepare(person)
        proxy.inject(SERVED_BREAK_OFF, at=calls)
        assert await ask(worker, request) == request.status, proxy.seen
        await journey.check(person, known)
        if not proxy.struck:
            return
    pytest.fail(f"no end after {MOST_CALLS} calls: {proxy.seen}")


@pytest.mark.parametrize("journey", PATIENT, ids=lambda journey: journey.name)
async def test_a_request_whose_calls_get_no_answer_can_be_repeated(workers, stage, proxy, journey):
    worker = await workers.start(AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
    for calls in range(MOST_CALLS):
        person = stage(calls)
        request, known = await journey.prepare(person)
        proxy.inject(SERVED_BREAK_OFF, at=calls, span=Span.REST)
        status = await ask(worker, request)
        assert status in {request.status, 503}, proxy.seen
        ended = not proxy.struck and status == request.status
        proxy.clear()
        await journey.check(person, known)
        if ended:
            return
    pytest.fail(f"no end after {MOST_CALLS} calls: {proxy.seen}")


async def test_the_owner_is_told_of_a_stolen_token_although_the_answer_to_its_end_was_lost(workers, stage, proxy):
    times = {"KEYTURN_REFRESH_GRACE_SECONDS": "0", "KEYTURN_CLOCK_SKEW_SECONDS": "0"}
    worker = await workers.start(AWS_ENDPOINT_URL_DYNAMODB=proxy.url, **times)
    stolen = (await (person := stage(0)).signed_up())["refresh_token"]
    assert (await refresh(person.again, stolen)).status_code == 200
    await asyncio.sleep(0.01)
    # The refused rotation and the read of the user go through; it is the revocation that is lost.
    proxy.inject(SERVED_BREAK_OFF, at=2)
    assert await ask(worker, Request("POST", "/v1/refresh", 401, {"refresh_token": stolen})) == 401
    await person.mailbox.wait(person.email, count=2)
