"""The tables' names: one per kind of data, so that permissions, keys, recovery and TTL can differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Table(StrEnum):
    """A table's name without its prefix."""

    USERS = "users"
    IDENTITIES = "identities"
    SESSIONS = "sessions"
    ONETIME = "onetime"
    THROTTLE = "throttle"
    KEYS = "keys"
    AUDIT = "audit"
    OUTBOX = "outbox"
    REVOCATIONS = "revocations"
    META = "meta"


@dataclass(frozen=True)
class TableNames:
    """The names with the prefix of a deployment."""

    prefix: str

    def of(self, table: Table) -> str:
        """The full name of ``table``."""
        return f"{self.prefix}-{table.value}"
