"""From where: what every event may know of the request that caused it, without each flow carrying it along.

The edge offers a reader for the time of one request (``service.web.request_facts``). It is called when an event is
recorded and not before, so a request without events pays for one context variable.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, kw_only=True)
class RequestFacts:
    """Never used to decide anything. ``address`` is a shortened network, ``user_agent`` printable and shortened."""

    request_id: str | None = None
    address: str | None = None
    user_agent: str | None = None


NO_REQUEST = RequestFacts()
"""Outside of any request: a command, or the service by itself."""

_reader: ContextVar[Callable[[], RequestFacts] | None] = ContextVar("keyturn_request_facts", default=None)


def current_facts() -> RequestFacts:
    """The facts of the request under way in this task."""
    read = _reader.get()
    return NO_REQUEST if read is None else read()


@contextmanager
def facts_from(read: Callable[[], RequestFacts]) -> Iterator[None]:
    """Let ``read`` answer ``current_facts`` inside, in this task and the tasks that it starts."""
    token = _reader.set(read)
    try:
        yield
    finally:
        _reader.reset(token)
