"""Why migrations stop, as types; each message is one line for an operator.

MigrationError
├── FolderInvalid         the files are not a gapless, loadable sequence
├── LedgerMismatch        what was applied is not what the files say
├── LockLost              another process took over; nothing more is written
├── StepFailed            a step cannot be applied; names the migration and the step
└── BackfillIncomplete    items were refused by a backfill's function; they are listed in the meta table
"""

from __future__ import annotations


class MigrationError(Exception):
    """The root of what migrations raise."""


class FolderInvalid(MigrationError):
    """The files are not a gapless sequence, or one of them cannot be loaded."""


class LedgerMismatch(MigrationError):
    """A file was changed or removed after it was applied, or would be applied out of order."""


class LockLost(MigrationError):
    """Another process holds the lock now, or this one could not renew its lease."""


class StepFailed(MigrationError):
    """A step cannot be applied to the table as it is."""


class BackfillIncomplete(MigrationError):
    """``count`` items were refused by the backfill's function and stay as they were."""

    def __init__(self, migration: str, table: str, count: int) -> None:
        super().__init__(
            f"{migration}: the backfill of {table} left {count} item(s) as they were; "
            "their keys and reasons are in the meta table"
        )
        self.count = count
