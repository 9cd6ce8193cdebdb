"""Calls that are given up at any moment: whoever is left gets its own answer, and what was given up is not in the way.

The server answers each request with what it asked for, in pieces and never at once, so that a call is given up while
its connection is made, before its request is read, between two pieces of its answer and after the last.
"""

from __future__ import annotations

import asyncio
import json
import random

from tests.support.lean import opened
from tests.support.stub_dynamo import ok, open_stub

CALLS, CONNECTIONS = 400, 4


class Echo:
    """In place of the stub's script: the key that was asked for, in three pieces."""

    def __init__(self, chance):
        self.chance = chance
        self.served = 0

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(size))
                raw = ok({"Item": asked["Key"]}).raw
                for piece in (raw[:20], raw[20:-5], raw[-5:]):
                    await self.pause()
                    writer.write(piece)
                self.served += 1
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return

    async def pause(self):
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)


async def given_up_at_chance(client, number, chance):
    """The answer of a call, or None for one that was given up, some turns of the loop after it began."""
    key = {"k": {"S": str(number)}}
    call = asyncio.create_task(client.get_item(TableName="t", Key=key))
    for _ in range(chance.randrange(40)):
        await asyncio.sleep(0)
    if chance.random() < 0.5:
        call.cancel()
    await asyncio.wait({call})
    return None if call.cancelled() else (key, call.result()["Item"])


async def test_however_many_calls_are_given_up_nobody_gets_the_answer_of_another():
    chance = random.Random(7)
    async with open_stub() as stub:
        echo = Echo(chance)
        stub.serve = echo.serve
        async with opened(stub, connections=CONNECTIONS) as client:
            ends = await asyncio.gather(*(given_up_at_chance(client, number, chance) for number in range(CALLS)))
            answered = [end for end in ends if end is not None]
            assert CALLS / 4 < len(answered) < CALLS, "too few were given up, or too many"
            assert [given for _, given in answered] == [asked for asked, _ in answered]
            # None of the places is lost, and no connection is open beyond them.
            key = {"k": {"S": "after"}}
            after = await asyncio.gather(*(client.get_item(TableName="t", Key=key) for _ in range(3 * CONNECTIONS)))
            assert [one["Item"] for one in after] == [key] * 3 * CONNECTIONS
            assert len(client.line._open) <= CONNECTIONS
            assert echo.served > len(answered), "no call was given up once its request was on its way"
