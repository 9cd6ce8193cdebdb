from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.even import EvenAnswers

BEAT = 0.15


class Watch:
    """A clock that goes on by what is slept and by what work takes."""

    def __init__(self):
        self.seconds = 1000.0

    def monotonic_seconds(self):
        return self.seconds

    def now_ms(self):
        return round(self.seconds * 1000)

    async def sleep(self, seconds):
        assert seconds > 0
        self.seconds += seconds


async def work(watch, seconds, *, error=None):
    watch.seconds += seconds
    if error is not None:
        raise error
    return "answer"


async def spent(seconds, *, error=None):
    """When the answer to work of so many seconds leaves."""
    watch = Watch()
    even = EvenAnswers(clock=watch, beat_seconds=BEAT)
    if error is None:
        assert await even.after(work(watch, seconds)) == "answer"
    else:
        with pytest.raises(type(error)):
            await even.after(work(watch, seconds, error=error))
    return watch.seconds - 1000


@given(st.floats(0, BEAT * 0.999), st.floats(0, BEAT * 0.999))
async def test_what_is_done_within_a_beat_answers_at_the_same_moment(one, other):
    assert await spent(one) == pytest.approx(await spent(other)) == pytest.approx(BEAT)


@given(st.floats(0, 3))
async def test_what_takes_longer_answers_at_the_next_beat(seconds):
    beats = await spent(seconds) / BEAT
    assert beats == pytest.approx(round(beats), abs=1e-6)
    assert seconds - 1e-9 <= beats * BEAT <= seconds + BEAT + 1e-9


async def test_an_error_waits_as_an_answer_does():
    assert await spent(0.01, error=LookupError()) == pytest.approx(BEAT)


async def test_only_the_named_refusal_waits_where_success_is_told_anyhow():
    watch = Watch()
    even = EvenAnswers(clock=watch, beat_seconds=BEAT)
    assert await even.refused(work(watch, 0.01), LookupError) == "answer"
    assert watch.seconds == pytest.approx(1000.01)
    with pytest.raises(ValueError, match="other"):
        await even.refused(work(watch, 0.01, error=ValueError("other")), LookupError)
    assert watch.seconds == pytest.approx(1000.02)
    with pytest.raises(KeyError):
        await even.refused(work(watch, 0.01, error=KeyError()), LookupError)
    assert watch.seconds == pytest.approx(1000.02 + BEAT)


async def test_without_a_beat_nothing_waits():
    watch = Watch()
    assert await EvenAnswers(clock=watch, beat_seconds=0).after(work(watch, 0.01)) == "answer"
    assert watch.seconds == pytest.approx(1000.01)


async def test_a_cancelled_request_is_cancelled():
    watch = Watch()
    task = asyncio.ensure_future(EvenAnswers(clock=watch, beat_seconds=BEAT).after(asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
