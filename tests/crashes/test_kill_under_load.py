"""kill -9 of a worker at any moment under refreshes: whoever holds a token is still signed in."""

from __future__ import annotations

import asyncio
import random

import pytest

from service.store.table import Table
from tests.support.live import LONG, client_of, items_of
from tests.support.people import PASSWORD, bearer, refresh, sign_in, sign_up
from tests.support.wire import Lost, Wire, open_wires, post_each

KILLS = 200 if LONG else 10
SESSIONS, RETRIES = 12, 4
# Seconds on an idle machine; shared ones and the long variants take their time.
pytestmark = pytest.mark.timeout(900 if LONG else 300)


class Burst:
    """Each token presented on ``RETRIES`` connections of one worker at once, and that worker killed meanwhile."""

    def __init__(self, tokens):
        self.answers = [[] for _ in tokens]
        self.tokens = tokens
        self.answered = asyncio.Condition()

    async def present(self, wire, index):
        try:
            answer = await wire.insist("/v1/refresh", {"refresh_token": self.tokens[index]})
        except Lost:
            return
        assert answer.status == 200
        async with self.answered:
            self.answers[index].append(answer.body["refresh_token"])
            self.answered.notify_all()

    async def on(self, worker, *, kill_after_answers, and_seconds):
        """A count of answers is the same moment on a busy machine and on an idle one."""
        async with open_wires([worker.url], len(self.tokens) * RETRIES) as wires:
            presented = [self.present(wire, index % len(self.tokens)) for index, wire in enumerate(wires)]
            under_way = asyncio.gather(*presented)
            async with self.answered:
                await self.answered.wait_for(lambda: sum(map(len, self.answers)) >= kill_after_answers)
            await asyncio.sleep(and_seconds)
            worker.kill()
            await under_way
        return self.answers


async def test_whoever_holds_a_token_is_signed_in_after_a_worker_was_killed(store, workers, mailbox):
    chance = random.Random(20)
    written_and_lost = answered = 0
    survivor = await workers.start()
    async with client_of(survivor) as client:
        await sign_up(client, mailbox)
        for _ in range(KILLS):
            victim = await workers.start()
            tokens = [(await sign_in(client))["refresh_token"] for _ in range(SESSIONS)]
            answers = await Burst(tokens).on(
                victim, kill_after_answers=chance.randrange(SESSIONS * RETRIES), and_seconds=chance.uniform(0, 0.01)
            )
            rotated = sum(int(session["g"]["N"]) for session in await items_of(store, Table.SESSIONS))
            async with open_wires([survivor.url], SESSIONS) as wires:
                again = await post_each(wires, "/v1/refresh", [{"refresh_token": token} for token in tokens])
                assert {answer.status for answer in again} == {200}
                successors = [answer.body["refresh_token"] for answer in again]
                for successor, before in zip(successors, answers, strict=True):
                    assert {successor} >= set(before), "one token had two successors"
                onward = await post_each(wires, "/v1/refresh", [{"refresh_token": token} for token in successors])
                assert [answer.body["refresh_token"] for answer in onward] == successors
            answered += sum(map(bool, answers))
            written_and_lost += rotated - sum(map(bool, answers))
            stored = await items_of(store, Table.SESSIONS)
            assert [int(session["g"]["N"]) for session in stored] == [1] * SESSIONS
            assert (await client.post("/v1/logout-all", headers=bearer(await sign_in(client)))).status_code == 204
            await erase_sessions(store)
    assert written_and_lost > 0, "no worker was killed between the write and the answer"
    assert answered > 0, "every worker was killed before it had answered once"


async def erase_sessions(store):
    """As DynamoDB collects them, so that the next round counts its own."""
    for session in await items_of(store, Table.SESSIONS):
        key = {name: session[name] for name in ("uid", "sid")}
        await store.dynamo.client.delete_item(TableName=store.dynamo.names.of(Table.SESSIONS), Key=key)


async def test_nothing_is_lost_when_every_worker_is_replaced(workers, mailbox):
    first = [await workers.start() for _ in range(2)]
    async with client_of(first[0]) as client:
        await sign_up(client, mailbox, username="ada")
        killed, stopped = await sign_in(client), await sign_in(client)
        ended = await sign_in(client)
        assert (await client.post("/v1/logout", json={"refresh_token": ended["refresh_token"]})).status_code == 204
        keys = (await client.get("/.well-known/jwks.json")).json()
        renewed = (await refresh(client, killed["refresh_token"])).json()
    first[0].kill()
    first[1].stop()
    async with client_of(await workers.start()) as client:
        assert (await client.get("/.well-known/jwks.json")).json() == keys
        for tokens in (killed, stopped, renewed):
            assert (await client.get("/v1/me", headers=bearer(tokens))).json()["username"] == "ada"
            assert (await refresh(client, tokens["refresh_token"])).status_code == 200
        assert (await refresh(client, killed["refresh_token"])).json()["refresh_token"] == renewed["refresh_token"]
        assert (await refresh(client, ended["refresh_token"])).status_code == 401
        await sign_in(client, "ada")


async def test_a_worker_that_is_asked_to_stop_answers_what_is_under_way(workers, mailbox):
    worker, survivor = await workers.start(), await workers.start()
    async with client_of(survivor) as client:
        await sign_up(client, mailbox)
        tokens = [(await sign_in(client))["refresh_token"] for _ in range(SESSIONS)]
        async with open_wires([worker.url], SESSIONS) as wires:
            for wire, token in zip(wires, tokens, strict=True):
                await wire.send("POST", "/v1/refresh", {"refresh_token": token})
            # The worker has read them when it has answered a later request on another connection.
            async with open_wires([worker.url], 1) as (probe,):
                await probe.call("GET", "/healthz")
            stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
            answers = await asyncio.gather(*(wire.receive() for wire in wires))
            await stopping
        assert {answer.status for answer in answers} == {200}


async def test_a_client_that_hangs_up_in_the_middle_is_still_signed_in(workers, mailbox):
    worker = await workers.start()
    chance = random.Random(7)
    async with client_of(worker) as client:
        await sign_up(client, mailbox)
        for _ in range(25):
            token = (await sign_in(client))["refresh_token"]
            for _ in range(3):
                wire = await Wire.open(worker.url)
                await wire.send("POST", "/v1/refresh", {"refresh_token": token})
                await asyncio.sleep(chance.choice((0, 0.001, 0.003)))
                await wire.aclose()
            successor = (await refresh(client, token)).json()["refresh_token"]
            assert successor != token
            assert (await refresh(client, successor)).json()["refresh_token"] == successor
    assert "error" not in workers.log()


async def test_a_registration_whose_sender_hangs_up_stands_in_nobodys_way(stage):
    people = [stage(number) for number in range(20)]
    url = str(people[0].again.base_url)
    for person in people:
        wire = await Wire.open(url)
        await wire.send("POST", "/v1/register", {"email": person.email, "password": PASSWORD})
        await wire.aclose()
    for person in people:
        await person.make_account()
