"""What is to be done: the files against the ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.migrate.errors import LedgerMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.migrate.folder import Migration


@dataclass(frozen=True, kw_only=True)
class Record:
    """A migration in the ledger.

    ``skipped`` says what an embedded engine could not do. ``encrypted_with`` names the key of each table that was to
    get the customer's key, ``aws-owned`` where no key was configured.
    """

    number: int
    name: str
    sha256: str
    applied_at_ms: int
    took_ms: int
    fence: int
    skipped: tuple[str, ...] = ()
    encrypted_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Files that are applied, with their records; files that are not; and what is wrong, a sentence each."""

    applied: tuple[tuple[Migration, Record], ...]
    pending: tuple[Migration, ...]
    problems: tuple[str, ...]

    def sound(self) -> Plan:
        """The plan itself. Raises LedgerMismatch when something is wrong."""
        if self.problems:
            raise LedgerMismatch("; ".join(self.problems))
        return self


def compare(migrations: Sequence[Migration], records: Sequence[Record]) -> Plan:
    """The plan for these files and this ledger."""
    known = {record.number: record for record in records}
    applied = tuple((migration, known[migration.number]) for migration in migrations if migration.number in known)
    pending = tuple(migration for migration in migrations if migration.number not in known)
    return Plan(applied=applied, pending=pending, problems=tuple(_problems(migrations, known, applied, pending)))


def _problems(
    migrations: Sequence[Migration],
    known: Mapping[int, Record],
    applied: Sequence[tuple[Migration, Record]],
    pending: Sequence[Migration],
) -> list[str]:
    last = max(known, default=0)
    numbers = {migration.number for migration in migrations}
    return [
        *(
            f"{migration.name} was changed after it was applied as {record.name}"
            for migration, record in applied
            if (migration.sha256, migration.name) != (record.sha256, record.name)
        ),
        *(
            f"{record.name} was applied, and its file is missing"
            for record in known.values()
            if record.number not in numbers
        ),
        *(
            f"{migration.name} is older than {known[last].name}, which was applied without it"
            for migration in pending
            if migration.number < last
        ),
    ]
