"""One flow, two drivers: a generator yields what it has to wait for; plain code and event loops each wait in their way.

So every rule is written once. A flow that waits for nothing, which is almost every one, does no I/O and never suspends.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

Flow = Generator["Future[None]", None, T]
"""Yields futures that resolve to None; goes on when each is done, or when the wait has taken too long."""


def drive(flow: Flow[T], *, seconds: float) -> T:
    """The result of ``flow``, waiting in this thread, for each future at most ``seconds``."""
    try:
        future = next(flow)
        while True:
            wait([future], timeout=seconds)
            future = flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def drive_async(flow: Flow[T], *, seconds: float) -> T:
    """The result of ``flow``; while it waits, the loop goes on."""
    try:
        future = next(flow)
        while True:
            await _done(future, seconds=seconds)
            future = flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


async def _done(future: Future[None], *, seconds: float) -> None:
    # Plain code never needs it, and it takes its time to import.
    import asyncio

    ours = asyncio.wrap_future(future)
    try:
        await asyncio.wait({ours}, timeout=seconds)
    finally:
        # The future itself is running and takes no notice; a loop that closes before it is done is not called back.
        ours.cancel()
