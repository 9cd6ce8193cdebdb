"""Applies the pending migrations, while the lock is held.

Steps on different tables do not depend on each other and go side by side; steps on one table keep their order, and a
backfill waits for all before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from service.migrate.backfill import BackfillRun
from service.migrate.checkpoints import Checkpoints
from service.migrate.errors import BackfillIncomplete, StepFailed
from service.migrate.events import MigrationBegan, MigrationEnded, StepEnded
from service.migrate.folder import read_folder
from service.migrate.ledger import Ledger
from service.migrate.outcome import Outcome
from service.migrate.pace import Pace, PacedMeter
from service.migrate.plan import Record, compare
from service.migrate.steps import Backfill
from service.migrate.tables import TableSteps
from service.migrate.together import together
from service.store.control import ControlRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.migrate.context import MigrateContext
    from service.migrate.events import Listener
    from service.migrate.folder import Migration
    from service.migrate.lock import Held
    from service.migrate.steps import Step, TableStep

Done = tuple["TableStep", Outcome]


@dataclass(frozen=True, kw_only=True)
class Applier:
    """Applies migrations under one hold of the lock."""

    context: MigrateContext
    held: Held
    listener: Listener

    async def apply_pending(self) -> tuple[Record, ...]:
        """Apply what is pending now, oldest first. Raises MigrationError, StoreUnavailable."""
        ledger = Ledger(control=self.context.control, dynamo=self.context.dynamo)
        # Read again: who held the lock before us may have applied some.
        plan = compare(read_folder(self.context.directory), await ledger.records()).sound()
        records = []
        for migration in plan.pending:
            record = await self._apply(migration)
            await ledger.append(record, self.held)
            self.listener(MigrationEnded(migration=migration.name, took_ms=record.took_ms))
            records.append(record)
        return tuple(records)

    async def _apply(self, migration: Migration) -> Record:
        started_ms = self.context.clock.now_ms()
        self.listener(MigrationBegan(migration=migration.name, steps=len(migration.steps)))
        done: list[Done] = []
        for index, group in enumerate(_groups(migration.steps)):
            if isinstance(group, Backfill):
                await self._backfill(migration, index, group)
            else:
                chains = await together([self._chain(migration, steps) for steps in _by_table(group)])
                done.extend(entry for chain in chains for entry in chain)
        now_ms = self.context.clock.now_ms()
        return Record(
            number=migration.number,
            name=migration.name,
            sha256=migration.sha256,
            applied_at_ms=now_ms,
            took_ms=now_ms - started_ms,
            fence=self.held.fence,
            skipped=tuple(outcome.skipped for _, outcome in done if outcome.skipped),
            encrypted_with={step.table: outcome.encrypted_with for step, outcome in done if outcome.encrypted_with},
        )

    async def _chain(self, migration: Migration, steps: Sequence[TableStep]) -> list[Done]:
        """The steps of one table, in order."""
        context = self.context
        hands = TableSteps(control=context.control, embedded=context.embedded, kms_key_id=context.kms_key_id)
        done: list[Done] = []
        for step in steps:
            self.held.confirm()
            try:
                outcome = await hands.apply(step)
            except (StepFailed, ControlRefused) as error:
                raise StepFailed(f"{migration.name}: {step}: {error}") from error
            done.append((step, outcome))
            self.listener(
                StepEnded(migration=migration.name, step=str(step), changed=outcome.changed, note=outcome.note)
            )
        return done

    async def _backfill(self, migration: Migration, index: int, step: Backfill) -> None:
        context = self.context
        state = await context.control.describe(step.table)
        if state is None:
            raise StepFailed(f"{migration.name}: {step}: there is no such table")
        # An embedded engine ends a parallel scan early when the item where a page ended is deleted (dynoxide 1.2.1).
        step = replace(step, segments=1) if context.embedded else step
        pace = Pace(clock=context.clock, units_per_second=step.units_per_second)
        dynamo = replace(context.dynamo, meter=PacedMeter(meter=context.dynamo.meter, pace=pace))
        run = f"{migration.number:04d}#{index}#{migration.sha256[:16]}"
        result = await BackfillRun(
            step=step,
            migration=migration.name,
            key_names=tuple(key.name for key in state.keys),
            expected_items=state.item_count,
            control=context.control,
            dynamo=dynamo,
            checkpoints=Checkpoints(dynamo=context.dynamo, run=run),
            pace=pace,
            held=self.held,
            listener=self.listener,
        ).run()
        note = f"{result.changed} of {result.scanned} item(s) changed, {result.poisoned} refused"
        self.listener(StepEnded(migration=migration.name, step=str(step), changed=result.changed > 0, note=note))
        if result.poisoned and not step.allow_poison:
            raise BackfillIncomplete(migration.name, step.table, result.poisoned)


def _groups(steps: Iterable[Step]) -> list[Backfill | list[TableStep]]:
    """Backfills one by one, and what stands between them."""
    groups: list[Backfill | list[TableStep]] = []
    for step in steps:
        if isinstance(step, Backfill):
            groups.append(step)
        elif groups and isinstance(groups[-1], list):
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _by_table(steps: Iterable[TableStep]) -> list[list[TableStep]]:
    ordered = sorted(steps, key=lambda step: step.table)
    return [list(group) for _, group in groupby(ordered, key=lambda step: step.table)]
