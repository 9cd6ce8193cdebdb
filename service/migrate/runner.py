"""What an operator can do: apply what is pending, see what is there, and compare the tables with what was declared."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.migrate.apply import Applier
from service.migrate.declared import fold
from service.migrate.drift import ActualTable, Finding, Severity, compare_table
from service.migrate.events import Waiting, ignore
from service.migrate.folder import read_folder
from service.migrate.ledger import Ledger
from service.migrate.lock import Held, Lock, Watch
from service.migrate.plan import Plan, compare
from service.migrate.tables import UNKNOWN_OPERATION
from service.migrate.together import together
from service.store.control import ControlRefused
from service.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from service.migrate.context import MigrateContext
    from service.migrate.declared import DeclaredTable
    from service.migrate.events import Listener
    from service.migrate.plan import Record

_POLL_SECONDS = 0.2
_HOLDER_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one call of ``apply_all`` did itself; nothing, when others had done it."""

    applied: tuple[Record, ...]

    @property
    def skipped(self) -> tuple[str, ...]:
        """What the embedded engine could not do."""
        return tuple(reason for record in self.applied for reason in record.skipped)


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Differences, what could not be told, and what is not applied yet."""

    findings: tuple[Finding, ...]
    pending: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs and nothing is pending."""
        return not self.pending and all(finding.severity is Severity.SKIPPED for finding in self.findings)


async def make_plan(context: MigrateContext) -> Plan:
    """The files against the ledger; writes nothing. Raises FolderInvalid, StoreUnavailable."""
    ledger = Ledger(control=context.control, dynamo=context.dynamo)
    return compare(read_folder(context.directory), await ledger.records())


async def apply_all(context: MigrateContext, listener: Listener = ignore) -> Report:
    """Apply everything that is pending, or wait until another process has.

    Any number of processes may call it at once. Raises MigrationError, StoreUnavailable; a further call goes on from
    there.
    """
    plan = (await make_plan(context)).sound()
    if not plan.pending:
        return Report(applied=())
    await Ledger(control=context.control, dynamo=context.dynamo).bootstrap()
    held = await _take_turn(context, listener)
    if held is None:
        return Report(applied=())
    try:
        records = await held.keep_while(Applier(context=context, held=held, listener=listener).apply_pending())
    except BaseException:
        # The lease ends by itself: an error here must not hide the first one.
        with contextlib.suppress(StoreUnavailable):
            await held.release()
        raise
    await held.release()
    return Report(applied=records)


async def _take_turn(context: MigrateContext, listener: Listener) -> Held | None:
    """The lock, or None as soon as nothing is pending any more."""
    me = context.entropy.token_bytes(_HOLDER_BYTES).hex()
    lock = Lock(dynamo=context.dynamo, clock=context.clock, me=me, lease_seconds=context.lease_seconds)
    watch = Watch()
    while True:
        attempt = await lock.attempt(watch)
        if isinstance(attempt, Held):
            return attempt
        listener(Waiting(holder=attempt))
        await context.clock.sleep(_POLL_SECONDS)
        if not (await make_plan(context)).sound().pending:
            return None


async def check(context: MigrateContext) -> CheckReport:
    """Compare every declared table with what it is; writes nothing. Raises MigrationError, StoreUnavailable."""
    plan = (await make_plan(context)).sound()
    tables = fold(plan.applied)
    findings = await together([_check_table(context, name, declared) for name, declared in tables.items()])
    return CheckReport(
        findings=tuple(finding for some in findings for finding in some),
        pending=tuple(migration.name for migration in plan.pending),
    )


async def _check_table(context: MigrateContext, name: str, declared: DeclaredTable) -> tuple[Finding, ...]:
    actual = await _look(context, name)
    return compare_table(name, declared, actual, kms_key_id=context.kms_key_id, embedded=context.embedded)


async def _look(context: MigrateContext, name: str) -> ActualTable | None:
    state = await context.control.describe(name)
    if state is None:
        return None
    ttl_attribute = await context.control.ttl_attribute(name)
    try:
        pitr = await context.control.has_pitr(name)
    except ControlRefused as error:
        if not context.embedded or error.refusal != UNKNOWN_OPERATION:
            raise
        reason = f"the embedded engine has none ({error.refusal})"
        return ActualTable(state=state, ttl_attribute=ttl_attribute, pitr=None, pitr_reason=reason)
    return ActualTable(state=state, ttl_attribute=ttl_attribute, pitr=pitr)
