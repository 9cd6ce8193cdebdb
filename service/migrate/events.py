"""What a run tells its caller while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Another process holds the lock."""

    holder: str


@dataclass(frozen=True, kw_only=True)
class MigrationBegan:
    """A migration is about to be applied."""

    migration: str
    steps: int


@dataclass(frozen=True, kw_only=True)
class StepEnded:
    """A step is done; ``note`` says what could not be done, or was done otherwise."""

    migration: str
    step: str
    changed: bool
    note: str | None


@dataclass(frozen=True, kw_only=True)
class BackfillMoved:
    """A page of a backfill is done. ``expected_items`` is DynamoDB's own estimate, hours old."""

    migration: str
    table: str
    scanned: int
    changed: int
    expected_items: int


@dataclass(frozen=True, kw_only=True)
class MigrationEnded:
    """A migration is in the ledger."""

    migration: str
    took_ms: int


Event = Waiting | MigrationBegan | StepEnded | BackfillMoved | MigrationEnded
Listener = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """The listener of those who do not listen."""
