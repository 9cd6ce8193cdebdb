"""``keyturn events``: what happened, by time, as operators read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import EXIT_USAGE, fail, with_base

if TYPE_CHECKING:
    from service.audit.entry import KeptEvent
    from service.base import Base

_Span = tuple[datetime | None, datetime | None]
_DAY = ["%Y-%m-%d"]
_TIME = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]


_Day = Annotated[datetime | None, typer.Option(help="One day, in UTC; today if nothing is said.", formats=_DAY)]
_Since = Annotated[datetime | None, typer.Option(help="From this time on, in UTC.", formats=_TIME)]
_Until = Annotated[datetime | None, typer.Option(help="Before this time, in UTC; now if not said.", formats=_TIME)]
_Kinds = Annotated[list[str] | None, typer.Option(help="Only of this kind; may be said several times.")]
_Nobody = Annotated[bool, typer.Option("--nobody", help="What happened to no account, instead of the feed.")]


def events(
    day: _Day = None, since: _Since = None, until: _Until = None, kind: _Kinds = None, nobody: _Nobody = False
) -> None:
    """Print the feed of security events, lines of JSON, the oldest first: what is alarming or was done by operators."""
    kinds = _kinds(kind or [])
    if day is not None and (since is not None or until is not None):
        fail("--day is a whole day: say either that, or --since and --until", code=EXIT_USAGE)
    if day is None and since is None and until is not None:
        fail("--until needs --since", code=EXIT_USAGE)
    span = _span(day or since, until, is_day=since is None)
    with_base(lambda base: _print(base, span, kinds, nobody=nobody))


def _kinds(words: list[str]) -> frozenset[str]:
    from service.audit.event import EventKind

    known = [kind.value for kind in EventKind]
    for word in words:
        if word not in known:
            fail(f"--kind: there is no kind {word!r}; there are: {', '.join(known)}", code=EXIT_USAGE)
    return frozenset(words)


def _span(start: datetime | None, end: datetime | None, *, is_day: bool) -> _Span:
    """From and until in UTC; None for the beginning of today, and for now."""
    begins = None if start is None else start.replace(tzinfo=UTC)
    if begins is not None and is_day:
        return begins, begins + timedelta(days=1)
    return begins, None if end is None else end.replace(tzinfo=UTC)


async def _print(
    base: Base, span: tuple[datetime | None, datetime | None], kinds: frozenset[str], *, nobody: bool
) -> None:
    from service.audit.items import day_of
    from service.audit.repo import EventRepo

    repo, now_ms = EventRepo(dynamo=base.dynamo), base.clock.now_ms()
    now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    begins = span[0] or now.replace(hour=0, minute=0, second=0, microsecond=0)
    # What is written at this moment is of now, by the clock of whoever writes it.
    begins_ms, ends_ms = _milliseconds(begins), _milliseconds(span[1] or now + timedelta(minutes=1))
    time_ms = begins_ms
    while time_ms < ends_ms:
        async for event in repo.feed(day_of(time_ms), now_ms=now_ms, of_nobody=nobody):
            if begins_ms <= event.time_ms < ends_ms and (not kinds or event.kind in kinds):
                typer.echo(_line(event))
        time_ms = _milliseconds(_midnight_after(time_ms))


def _midnight_after(time_ms: int) -> datetime:
    day = datetime.fromtimestamp(time_ms // 1000, tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _line(event: KeptEvent) -> str:
    from service.kernel.ids import id_text
    from service.users.events.schemas import EventOut

    shown = EventOut.of(event).model_dump(mode="json")
    user_id = None if event.user_id is None else id_text(event.user_id)
    return json.dumps({"time": shown.pop("time"), "kind": shown.pop("kind"), "user_id": user_id, **shown})
