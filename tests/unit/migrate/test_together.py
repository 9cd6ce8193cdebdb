from __future__ import annotations

import asyncio

import pytest

from service.migrate.together import together


async def _answer(value):
    await asyncio.sleep(0)
    return value


async def test_answers_come_in_order():
    assert await together([_answer(1), _answer(2), _answer(3)]) == [1, 2, 3]
    assert await together([]) == []


async def test_the_first_error_stops_the_others_and_comes_out_as_itself():
    stopped = []

    async def wait():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    async def fail():
        await asyncio.sleep(0)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await together([wait(), fail(), wait()])
    assert stopped == [True, True]
