"""What is noted of one request while it is under way; others may be waiting for their beat meanwhile."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Rest:
    """A wait for a beat: when it began, by the wall and by the processor; the calls before it; and when it ended."""

    began: float
    cpu_began: float
    calls: tuple[str, ...]
    ended: float = 0.0


@dataclass
class Watch:
    """The calls and the waits of a request. What it starts in the background is counted here as well."""

    calls: list[str] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)
    is_resting: asyncio.Event = field(default_factory=asyncio.Event)


WATCH: ContextVar[Watch | None] = ContextVar("WATCH", default=None)
"""That of the request in whose task, or in a task of which, this is run."""
