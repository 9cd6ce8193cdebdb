from __future__ import annotations

import asyncio
import threading

import pytest

from service.errors import Unavailable
from service.kernel.secret import Secret
from service.passwords import strength_meter
from service.passwords.strength import judge
from service.passwords.strength_meter import StrengthMeter

PASSWORD = Secret("seven bright red ducks")


@pytest.fixture
async def meter():
    meter = StrengthMeter(queue=2)
    yield meter
    await meter.close()


@pytest.fixture
def gate(monkeypatch):
    """Judging waits until the gate opens; ``threads`` are those that judged."""
    gate = threading.Event()
    gate.threads = []

    def held(password, words):
        gate.threads.append(threading.current_thread())
        gate.wait(10)
        return judge(password, words=words)

    monkeypatch.setattr(strength_meter, "_judge", held)
    yield gate
    gate.set()


async def test_it_answers_what_judging_answers(meter):
    assert await meter.measure(PASSWORD) == judge(PASSWORD.reveal())
    assert (await meter.measure(PASSWORD, words=("seven bright red ducks",))).score == 0


async def test_the_loop_goes_on_while_a_thread_judges(meter, gate):
    measuring = asyncio.create_task(meter.measure(PASSWORD))
    await asyncio.sleep(0.01)
    assert not measuring.done()
    gate.set()
    assert (await measuring).score == 4
    assert gate.threads[0] is not threading.main_thread()


async def test_one_too_many_is_told_to_come_back(meter, gate):
    waiting = [asyncio.create_task(meter.measure(PASSWORD)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await meter.measure(PASSWORD)
    assert refused.value.headers() == {"Retry-After": "1"}
    gate.set()
    await asyncio.gather(*waiting)
    assert (await meter.measure(PASSWORD)).score == 4


async def test_attack_whoever_hangs_up_does_not_free_a_place_before_the_work_is_done(meter, gate):
    for _ in range(2):
        asking = asyncio.create_task(meter.measure(PASSWORD))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    with pytest.raises(Unavailable):
        await meter.measure(PASSWORD)


def test_a_queue_without_places_is_a_mistake():
    with pytest.raises(ValueError, match="place"):
        StrengthMeter(queue=0)
