from __future__ import annotations

import asyncio

import pytest

from service.sessions.flights import Flights


class Work:
    """Counts how often it was done; each time it waits to be let go."""

    def __init__(self, *outcomes):
        self.outcomes, self.begun, self.gates = list(outcomes), 0, []

    async def __call__(self):
        self.begun += 1
        gate = asyncio.Event()
        self.gates.append(gate)
        outcome = self.outcomes.pop(0)
        await gate.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def turns(count=3):
    for _ in range(count):
        await asyncio.sleep(0)


def start(flights, work, *keys):
    return [asyncio.create_task(flights.share(key, work)) for key in keys]


async def test_calls_that_begin_together_are_one_piece_of_work_with_one_answer():
    flights, work = Flights(), Work("tokens")
    calls = start(flights, work, "a", "a", "a")
    await turns()
    work.gates[0].set()
    assert await asyncio.gather(*calls) == ["tokens"] * 3
    assert work.begun == 1


async def test_calls_that_differ_share_nothing():
    flights, work = Flights(), Work("one", "two")
    calls = start(flights, work, "a", "b")
    await turns()
    for gate in work.gates:
        gate.set()
    assert sorted(await asyncio.gather(*calls)) == ["one", "two"]


async def test_stale_answer_a_call_that_comes_later_gets_none_of_a_flight_under_way():
    flights, work = Flights(), Work("before the revocation", ValueError("revoked"))
    (first,) = start(flights, work, "a")
    await turns()
    assert work.begun == 1
    assert "a" not in flights
    (second,) = start(flights, work, "a")
    await turns()
    assert work.begun == 2
    for gate in work.gates:
        gate.set()
    assert await first == "before the revocation"
    with pytest.raises(ValueError, match="revoked"):
        await second


async def test_an_answer_does_not_outlive_its_flight():
    flights, work = Flights(), Work("first", "second")
    for expected in ("first", "second"):
        (call,) = start(flights, work, "a")
        await turns()
        work.gates[-1].set()
        assert await call == expected
    assert "a" not in flights


async def test_an_error_is_everybodys():
    flights, work = Flights(), Work(ValueError("reuse"))
    calls = start(flights, work, "a", "a")
    await turns()
    work.gates[0].set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [str(one) for one in outcomes] == ["reuse"] * 2


async def test_a_passenger_that_is_cancelled_leaves_alone():
    flights, work = Flights(), Work("tokens")
    pilot, gone, stays = start(flights, work, "a", "a", "a")
    await turns()
    gone.cancel()
    await turns()
    work.gates[0].set()
    assert await asyncio.gather(pilot, stays) == ["tokens"] * 2
    assert gone.cancelled()
    assert work.begun == 1


@pytest.mark.parametrize("while_boarding", [True, False])
async def test_when_the_one_that_flies_is_cancelled_another_takes_its_place_and_the_rest_board_again(while_boarding):
    flights, work = Flights(), Work(*(["lost"] if not while_boarding else []), "tokens")
    pilot, *others = start(flights, work, "a", "a", "a")
    await turns(1 if while_boarding else 3)
    pilot.cancel()
    await turns(5)
    work.gates[-1].set()
    assert await asyncio.gather(*others) == ["tokens"] * 2
    assert pilot.cancelled()
    assert work.begun == (1 if while_boarding else 2)
    assert "a" not in flights


async def test_whether_a_call_would_be_a_passenger_is_known_while_they_board():
    flights, work = Flights(), Work("tokens")
    (call,) = start(flights, work, "a")
    assert "a" not in flights
    await asyncio.sleep(0)
    assert "a" in flights
    await turns()
    assert "a" not in flights
    work.gates[0].set()
    await call
