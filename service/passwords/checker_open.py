"""Builds a ``PasswordChecker`` from what the settings say, and closes what it opened."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from service.passwords.breach import BASE_URL, BreachList, NullBreachList
from service.passwords.breach_late import LateBreachList
from service.passwords.checker import PasswordChecker
from service.passwords.offline import OfflineBreachList
from service.passwords.policy import DEFAULT_MIN_LENGTH
from service.passwords.strength_meter import StrengthMeter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from service.kernel.clock import Clock

DEFAULT_MIN_SCORE = 3


@dataclass(frozen=True, kw_only=True)
class PasswordRules:
    """What an operator chose.

    ``breach_list``: ``online`` asks the embedded list and then the range API at ``breach_url``, ``offline`` the
    embedded list alone, ``off`` neither. ``breach_away`` says who decides while the range API is away: ``offline``
    the embedded list, ``refuse`` nobody, so that no password is set.
    """

    product: str
    min_length: int = DEFAULT_MIN_LENGTH
    min_score: int = DEFAULT_MIN_SCORE
    breach_list: Literal["online", "offline", "off"] = "online"
    breach_url: str = BASE_URL
    breach_away: Literal["offline", "refuse"] = "offline"


@asynccontextmanager
async def open_checker(
    rules: PasswordRules, *, clock: Clock, count: Callable[[str], None]
) -> AsyncIterator[PasswordChecker]:
    """The checker for ``rules``; ``count`` hears the outcome of each question to the range API.

    Raises OSError or ValueError where the embedded list is missing or damaged.
    """
    async with AsyncExitStack() as stack:
        meter = StrengthMeter()
        stack.push_async_callback(meter.close)
        breached: BreachList = NullBreachList()
        if rules.breach_list == "online":
            breached = LateBreachList(partial(_range_list, rules.breach_url, clock=clock, count=count))
            stack.push_async_callback(breached.aclose)
        yield PasswordChecker(
            min_length=rules.min_length,
            min_score=rules.min_score,
            product=rules.product,
            meter=meter,
            common=NullBreachList() if rules.breach_list == "off" else OfflineBreachList.embedded(),
            breached=breached,
            refuses_when_away=rules.breach_away == "refuse",
        )


@asynccontextmanager
async def _range_list(url: str, *, clock: Clock, count: Callable[[str], None]) -> AsyncIterator[BreachList]:
    # Beside the event loop, which serves others meanwhile.
    await asyncio.to_thread(import_module, "service.passwords.breach_range")
    from service.passwords.breach_range import RangeBreachList, open_range_client

    async with open_range_client() as client:
        yield RangeBreachList(client=client, clock=clock, count=count, base_url=url)
