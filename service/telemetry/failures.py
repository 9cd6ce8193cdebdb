"""An exception as data for the log: classes, places and a redacted message; never a local variable.

Messages of validation errors are withheld, because pydantic, FastAPI and botocore write the refused value into them.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from service.telemetry.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHHELD = "(withheld: validation errors quote their input)"

_MAX_CHAIN = 8
_MAX_FRAMES = 30


def describe(error: BaseException) -> list[dict[str, Any]]:
    """``error`` and what caused it, outermost first: ``type``, ``message`` and ``frames`` (``file:line name``)."""
    return [_describe_one(link) for link in _chain(error)]


def as_text(error: BaseException) -> str:
    """The same for a person to read."""
    lines: list[str] = []
    for link in describe(error):
        lines.append(f"{link['type']}: {link['message']}")
        lines.extend(f"    {frame}" for frame in link["frames"])
    return "\n".join(lines)


def _describe_one(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    kind = type(error)
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": _message(error),
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _message(error: BaseException) -> str:
    if any("Validation" in kind.__name__ for kind in type(error).__mro__):
        return WITHHELD
    return redact_text(str(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and the members of groups; bounded, and safe against a chain that bites its tail."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_CHAIN:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting.extend(_behind(link))


def _behind(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        yield from error.exceptions
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield cause
