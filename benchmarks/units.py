"""DynamoDB units an operation, for each server that is on DynamoDB, counted by one proxy in a pass of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.harness.install import NotHere
from benchmarks.harness.units import Units, counted
from benchmarks.harness.wire import Wire
from benchmarks.targets import counted as journeys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from benchmarks.harness.units import Counter
    from benchmarks.targets.context import Context
    from benchmarks.targets.counted import Journey

PEOPLE = 3
ON_DYNAMODB: dict[str, Callable[[Context], AbstractAsyncContextManager[Journey]]] = {
    "keyturn": journeys.keyturn,
    "flask": journeys.flask_jwt,
    "oidc-provider-dynamodb": journeys.oidc_provider,
}
_BESIDE_ANY_REQUEST = frozenset({("Query", "-keys"), ("Query", "-outbox")})
"""A process of Keyturn reads its signing keys and looks for left mails by the clock (docs/cost.md)."""


async def count(names: Sequence[str], context: Context) -> dict[tuple[str, str], Units]:
    """(server, operation) to units of one operation, of those in ``names`` that are on DynamoDB and can be had here.

    Raises NotCounted, WrongAnswer, and SystemExit when a server does not start.
    """
    found: dict[tuple[str, str], Units] = {}
    for name in (name for name in names if name in ON_DYNAMODB):
        async with counted(context.engine_url, aside=_BESIDE_ANY_REQUEST) as counter:
            try:
                async with ON_DYNAMODB[name](replace(context, engine_url=counter.url)) as journey:
                    found |= {(name, step): units for step, units in (await _travel(journey, counter)).items()}
            except NotHere:
                # It is skipped, with the reason, where it is opened to be measured.
                continue
    return found


async def _travel(journey: Journey, counter: Counter) -> dict[str, Units]:
    found: dict[str, Units] = {}
    await counter.settled()
    async with Wire(journey.url) as wire:
        for name, do in journey.steps:
            counter.forget()
            for number in range(PEOPLE):
                await do(wire, number)
            await counter.settled()
            if name is not None:
                found[name] = counter.take() / PEOPLE
    return found
