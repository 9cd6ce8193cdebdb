"""How a run of migrations looks: lines, and on a terminal a bar for each backfill."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from service.migrate.events import BackfillMoved, MigrationBegan, MigrationEnded, StepEnded, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.migrate.events import Event, Listener


@contextmanager
def progress_listener(console: Console | None = None) -> Iterator[Listener]:
    """A listener that prints; the bar, with the time left, only where somebody looks at it."""
    console = console or Console(highlight=False, markup=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield _Printer(console=console, bars=bars)


@dataclass(kw_only=True)
class _Printer:
    console: Console
    bars: Progress
    tasks: dict[str, TaskID] = field(default_factory=dict)
    waits_for: str = ""

    def __call__(self, event: Event) -> None:
        match event:
            case Waiting():
                self._wait(event.holder)
            case MigrationBegan():
                self.console.print(f"{event.migration}: {event.steps} step(s)")
            case StepEnded():
                self._step(event)
            case BackfillMoved():
                self._backfill(event)
            case MigrationEnded():
                self.console.print(f"{event.migration}: applied in {event.took_ms} ms")
            case _:
                assert_never(event)

    def _wait(self, holder: str) -> None:
        if holder != self.waits_for:
            self.waits_for = holder
            self.console.print(f"waiting for another migrator ({holder})")

    def _step(self, event: StepEnded) -> None:
        note = f" ({event.note})" if event.note else ""
        self.console.print(f"  {'done' if event.changed else 'as it was'}: {event.step}{note}")

    def _backfill(self, event: BackfillMoved) -> None:
        if self.bars.disable:
            self.console.print(f"  {event.table}: {event.scanned} of about {event.expected_items} item(s)")
            return
        total = max(event.expected_items, event.scanned)
        key = f"{event.migration} {event.table}"
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(f"  {event.table}", total=total)
        self.bars.update(self.tasks[key], completed=event.scanned, total=total)
