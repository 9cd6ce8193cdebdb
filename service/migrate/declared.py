"""What the applied migrations say the tables are: the fold of all their steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from service.migrate.errors import FolderInvalid
from service.migrate.steps import Backfill, CreateTable, EnablePitr, EnableTtl, Encrypt, Protect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.migrate.folder import Migration
    from service.migrate.plan import Record
    from service.migrate.steps import TableStep
    from service.store.table_state import KeyAttribute


@dataclass(frozen=True, kw_only=True)
class DeclaredTable:
    """A table as declared.

    ``encryption`` is the key recorded for it, None where no step asks for the customer's key, or an embedded engine
    could not apply it.
    """

    keys: tuple[KeyAttribute, ...]
    protected: bool
    ttl_attribute: str | None = None
    pitr: bool = False
    customer_key: bool = False
    encryption: str | None = None


def fold(applied: Iterable[tuple[Migration, Record]]) -> Mapping[str, DeclaredTable]:
    """The tables by name. Raises FolderInvalid for a step on a table that no earlier step creates."""
    tables: dict[str, DeclaredTable] = {}
    for migration, record in applied:
        for step in migration.steps:
            if isinstance(step, Backfill):
                continue
            tables[step.table] = _with(tables.get(step.table), step, record)
    return tables


def _with(table: DeclaredTable | None, step: TableStep, record: Record) -> DeclaredTable:
    if isinstance(step, CreateTable):
        encryption = record.encrypted_with.get(step.table) if step.customer_key else None
        return DeclaredTable(
            keys=step.keys, protected=step.protected, customer_key=step.customer_key, encryption=encryption
        )
    if table is None:
        raise FolderInvalid(f"no migration creates {step.table} before its {step}")
    match step:
        case EnableTtl():
            return replace(table, ttl_attribute=step.attribute)
        case EnablePitr():
            return replace(table, pitr=True)
        case Encrypt():
            return replace(table, customer_key=True, encryption=record.encrypted_with.get(step.table))
        case Protect():
            return replace(table, protected=True)
        case _:
            assert_never(step)
