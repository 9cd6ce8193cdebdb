"""One journey, one call of it, one fault; and what must be true whatever happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from tests.support.journeys.stage import Request
from tests.support.store_faults import (
    CONFLICT,
    FINAL,
    FOREIGN,
    NOT_SERVED,
    PARTIAL,
    SERVED,
    SERVED_SILENCE,
    SILENCE,
    SILENT,
)
from tests.support.store_proxy import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx

    from tests.support.journeys.stage import Journey
    from tests.support.store_faults import Fault
    from tests.support.store_wire import Call
    from tests.support.world import World

_INSIDE = ("Traceback", "Exception", "dynamodb", "DynamoDB", "amazonaws", "argon2", "service/")
_FAINT = (*NOT_SERVED, *FOREIGN, *FINAL, SILENCE)
_LOST = (*SERVED, SERVED_SILENCE)
_UNNOTICED = (*NOT_SERVED, *SERVED, CONFLICT, *PARTIAL)
"""Once, the service tries again and answers as if nothing had been."""


@dataclass(frozen=True)
class Blow:
    """A fault at a call of a journey."""

    fault: Fault
    at: int
    span: Span

    def __str__(self) -> str:
        return f"{self.fault} {self.span.name} at call {self.at}"

    @property
    def is_unnoticed(self) -> bool:
        return self.span is Span.ONCE and self.fault in _UNNOTICED


def every_blow(calls: Sequence[Call]) -> Iterator[Blow]:
    """The whole matrix."""
    for at, call in enumerate(calls):
        for fault in (*_FAINT, *_LOST, *_fitting(call)):
            yield from (Blow(fault, at, span) for span in Span if fault not in PARTIAL or span is Span.ONCE)


def covering_blows(journey: Journey, calls: Sequence[Call]) -> Iterator[Blow]:
    """Each call meets classes of faults by turns; which fault of a class goes round, so that each is met somewhere.

    One call: the store lost one answer and then was well; it went away for good. The next: it was not reached, or lost
    its answer, for as long as the service tries. Either: it held the item for another, or answered with less than was
    asked for. That it was not reached once is left to the whole matrix: the service notices nothing (``test_port.py``).
    """
    for at, call in enumerate(calls):
        turn = crc32(journey.name.encode()) + at
        if turn % 2:
            yield Blow(_FAINT[turn // 2 % len(_FAINT)], at, Span.SAME)
            yield Blow(_LOST[turn // 2 % len(_LOST)], at, Span.SAME)
        else:
            yield Blow(SERVED[turn // 2 % len(SERVED)], at, Span.ONCE)
            yield Blow(_FAINT[turn // 2 // len(_FAINT) % len(_FAINT)], at, Span.REST)
        yield from (Blow(fault, at, Span.ONCE if fault in PARTIAL else Span.SAME) for fault in _fitting(call))


def _fitting(call: Call) -> list[Fault]:
    """Faults that not every call can have."""
    return [fault for fault in (CONFLICT, *PARTIAL) if fault.fits(call)]


async def calls_of(world: World, journey: Journey) -> list[Call]:
    """What the journey asks of the store when nothing happens, and all is well then."""
    person = world.place()
    request, known = await journey.prepare(person)
    await world.ready(journey)
    world.proxy.clear()
    answer = await world.send(request)
    await world.settle()
    assert answer.status_code == request.status, answer.text
    calls = list(world.proxy.calls)
    await journey.check(person, known, True)
    return calls


async def strike(world: World, journey: Journey, blow: Blow) -> bool:
    """Try one case. Whether the fault met a call that it fits."""
    person = world.place()
    request, known = await journey.prepare(person)
    await world.ready(journey)
    with world.hurrying(blow.fault in SILENT):
        world.proxy.inject(blow.fault, at=blow.at, span=blow.span)
        answer = await world.send(request)
        # What goes on behind the answer meets the fault as well, and then the store is well again.
        await world.settle(0.1)
        struck = bool(world.proxy.struck)
        world.proxy.clear()
        await world.settle()
    if struck:
        assert_sound(answer, request, journey)
        assert answer.status_code != 503 or not blow.is_unnoticed, "a single fault was noticed"
        await journey.check(person, known, answer.status_code == request.status)
    return struck


def assert_sound(answer: httpx.Response, request: Request, journey: Journey) -> None:
    """Its own status, or 503 and when to come back; and nothing of the request or of our inside in a refusal."""
    status = answer.status_code
    assert status in {request.status, 503, *journey.also}, f"{status} {answer.text}"
    if status == 503:
        assert int(answer.headers["Retry-After"]) >= 1
        assert not [word for word in _INSIDE if word in answer.text], answer.text
        assert not [secret for secret in _secrets(request) if secret in answer.text], answer.text
        if isinstance(request, Request) and request.form is None:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["cache-control"] == "no-store"


def _secrets(request: Request) -> set[str]:
    if not isinstance(request, Request):
        return set()
    told = {**(request.body or {}), "bearer": request.bearer or "-"}
    return {value for value in told.values() if isinstance(value, str) and len(value) > 7}
